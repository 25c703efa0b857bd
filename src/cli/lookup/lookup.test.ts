import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder } from '../../../test/config-folder.ts'
import { startDns } from '../../../test/lab/dns.ts'
import { nameServerText } from '../../dns/servers.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** The command in a process of its own, as people run it: exit code, standard output and standard error. */
function lookup(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const command = [main, 'lookup', ...args]
  const env = { ...process.env, ...environment }
  delete env.NODE_TEST_CONTEXT
  const child = spawn(process.execPath, command, { env, cwd: fileURLToPath(new URL('.', import.meta.url)) })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    )
  })
}

const zone = {
  'example.test': {
    MX: [
      [10, 'mx1.example.test'],
      [10, 'mx2.example.test'],
      [20, 'gone.example.test'],
    ],
  },
  'mx1.example.test': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] },
  'mx2.example.test': { A: ['192.0.2.2'] },
  'null.test': { MX: [[0, '.']] },
  'xn--bcher-kva.test': { MX: [[10, 'mx2.example.test']] },
  'evil.test': { MX: [[10, '\\027]0;x\\007.test']] },
} as const

test('a domain: each server with its share, its addresses and why; what is left out with why', async (t) => {
  const dns = await startDns(t, zone)
  const ran = await lookup(['example.test', '--private', '--resolver', nameServerText(dns.server)])
  assert.equal(ran.code, 0)
  assert.equal(ran.err, '')
  assert.match(
    ran.out,
    /^✓ example\.test: 2 servers to try\n {2}from MX records, with their addresses good for 5 min, answered by 127\.[\d.]+:\d+\n/,
  )
  for (const host of ['mx1', 'mx2'])
    assert.match(
      ran.out,
      new RegExp(`\n {2}[12] {3}50 % {4}10 {2}${host}\\.example\\.test {2}equal preference, shuffled\n`),
    )
  assert.match(ran.out, /\n +2001:db8::1\n +192\.0\.2\.1\n/)
  assert.match(ran.out, /\n {2}left out:\n {2}20 {2}gone\.example\.test {2}no such name\n/)
  assert.ok(!ran.out.includes('\x1b'), 'a pipe gets no colours')
})

test('--json: one object a line, in the order of the arguments; U-labels become A-labels', async (t) => {
  const dns = await startDns(t, zone)
  const args = ['someone@example.test', 'bücher.test', '--json', '--private', '--resolver', nameServerText(dns.server)]
  const ran = await lookup(args)
  assert.equal(ran.code, 0)
  const [first, second] = ran.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual([first.asked, first.domain, first.kind], ['someone@example.test', 'example.test', 'candidates'])
  assert.deepEqual(
    first.candidates.map(({ share }: { share: number }) => share),
    [0.5, 0.5],
  )
  assert.equal(first.answeredBy, nameServerText(dns.server))
  assert.equal(second.domain, 'xn--bcher-kva.test')
})

test('exit codes: 1 where DNS is sure that there is none, 2 where it could not be told; the worst of several', async (t) => {
  const dns = await startDns(t, zone)
  dns.fault('broken.test', 'servfail')
  const ask = (...names: string[]) => lookup([...names, '--private', '--resolver', nameServerText(dns.server)])
  const sure = await ask('example.test', 'null.test', 'gone.test')
  assert.equal(sure.code, 1)
  assert.match(sure.out, /✗ null\.test: takes no mail, and says so/)
  assert.match(sure.out, /✗ gone\.test: no such domain/)
  const unsure = await ask('null.test', 'broken.test')
  assert.equal(unsure.code, 2)
  assert.match(unsure.out, /\? broken\.test: could not be told now: MX: 127\.0\.0\.1:\d+: the server answered SERVFAIL/)
})

test('without --private, addresses that not everybody reaches are left out', async (t) => {
  const dns = await startDns(t, zone)
  const ran = await lookup(['example.test', '--resolver', nameServerText(dns.server)])
  assert.equal(ran.code, 1)
  assert.match(ran.out, /192\.0\.2\.1 is for documentation/)
  assert.match(ran.out, /\n {2}--private takes these addresses too\n$/)
  const literal = await lookup(['[127.0.0.1]'])
  assert.match(literal.out, /127\.0\.0\.1 is loopback[\s\S]*--private/)
})

test('waypost.yaml says whom to ask, unless a flag does; our own server among those found is told', async (t) => {
  const dns = await startDns(t, zone)
  const other = await startDns(t, { 'example.test': { MX: [[10, 'mx9.example.test']] } })
  const path = join(await folder(t, {}), 'waypost.yaml')
  await writeFile(
    path,
    `hostname: mx2.example.test\nresolver: { servers: ["${nameServerText(dns.server)}"] }\ndomains: { a.example: { deliver: mx } }\n`,
  )
  const ran = await lookup(['example.test', '--private', '-c', path])
  assert.equal(ran.code, 0, `${ran.out}${ran.err}`)
  assert.match(ran.out, new RegExp(`answered by ${nameServerText(dns.server)}\n`))
  assert.match(
    ran.err,
    /^mx2\.example\.test is this gateway; with --self mx2\.example\.test the list is as it sees it\.\n$/,
  )
  const flagged = await lookup(['example.test', '--private', '-c', path, '--resolver', nameServerText(other.server)])
  assert.match(flagged.out, /mx9\.example\.test/)
  const self = await lookup(['example.test', '--private', '-c', path, '--self', 'mx1.example.test'])
  assert.equal(self.err, '')

  await writeFile(path, 'domains: { a.example: { delivr: mx } }')
  const wrong = await lookup(['example.test', '-c', path])
  assert.deepEqual([wrong.code, wrong.out], [2, ''])
  assert.match(wrong.err, /unknown key "delivr"/)
})

test('--self wants a whole name: a short one would leave nothing out', async () => {
  const ran = await lookup(['example.test', '--self', 'mx1'])
  assert.equal(ran.code, 2)
  assert.match(ran.err, /It must be a whole host name, such as mx1\.example\.com, or an IP address/)
})

test('--self and -4', async (t) => {
  const dns = await startDns(t, zone)
  const common = ['example.test', '--private', '--json', '--resolver', nameServerText(dns.server)]
  const loop = JSON.parse((await lookup([...common, '--self', '192.0.2.2'])).out)
  assert.equal(loop.kind, 'loop')
  const four = JSON.parse((await lookup([...common, '-4'])).out)
  assert.deepEqual(four.candidates.flatMap(({ addresses }: { addresses: string[] }) => addresses).sort(), [
    '192.0.2.1',
    '192.0.2.2',
  ])
  assert.equal(
    dns.asked.filter((question) => question.startsWith('udp AAAA')).length,
    3,
    'by the first of the two alone',
  )
})

test('what DNS says reaches the terminal without effect', async (t) => {
  const dns = await startDns(t, zone)
  const ran = await lookup(['evil.test', '--resolver', nameServerText(dns.server)])
  assert.ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(ran.out))
  assert.match(ran.out, /\\027\]0\\;x\\007\.test {2}not a host name/)
})

test('colours on request', async (t) => {
  const dns = await startDns(t, zone)
  const args = ['null.test', '--resolver', nameServerText(dns.server)]
  assert.match((await lookup(args, { FORCE_COLOR: '1', NO_COLOR: undefined })).out, /\x1b\[31m✗\x1b\[39m/)
})

for (const [name, why] of [
  ['a..b', /two dots/],
  ['127.1', /last label is a number/],
  ['@example.test', /local part/],
  ['a b', /characters/],
  ['.', /root/],
  ['\x1b[31m', /characters/],
] as const) {
  test(`${JSON.stringify(name)} is refused with why, before anything is looked up`, async () => {
    const ran = await lookup([name, '--resolver', '127.0.0.1:1'])
    assert.equal(ran.code, 2)
    assert.equal(ran.out, '')
    assert.match(ran.err, why)
    assert.ok(!ran.err.includes('\x1b'))
  })
}

test('a wrong flag says what it should be', async () => {
  const ran = await lookup(['example.test', '--resolver', 'ns.example'])
  assert.notEqual(ran.code, 0)
  assert.match(ran.err, /must be an IP address, with or without a port/)
})

test('a list without a domain is told, and so is one that is not there', async () => {
  const resolver = ['--resolver', '127.0.0.1:1']
  const empty = await lookup(['--input', '/dev/null', ...resolver])
  assert.deepEqual([empty.code, empty.out, empty.err], [2, '', 'waypost: no domain in the input\n'])
  const absent = await lookup(['--input', '/nowhere/names', ...resolver])
  assert.deepEqual([absent.code, absent.err], [2, 'waypost: /nowhere/names does not exist\n'])
})

test('a number alone is no time', async () => {
  const ran = await lookup(['example.test', '--timeout', '5'])
  assert.notEqual(ran.code, 0)
  assert.match(ran.err, /must be a time from 50ms to 120s, such as 500ms or 10s/)
})
