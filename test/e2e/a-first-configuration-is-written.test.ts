/** `waypost init` for scripts: what it writes is what a plan is made with, and what it guessed is told as guessed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import { startAuthority } from '../lab/authority.ts'
import { startDns } from '../lab/dns.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { zoneOf } from '../lab/zone-lines.ts'

const program = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

async function start(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-init-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx1.example.net']] },
    'mx1.example.net': { A: ['192.0.2.1'] },
  })
  const resolver = nameServerText(dns.server)
  const zone = '@ SOA ns h 5 14400 3600 604800 300\n@ NS ns.example.net.\n@ 300 MX 10 mx1.example.net.'
  const authority = await startAuthority(t, [zoneOf('example.test.', zone)])
  const server = `${authority.address}:${authority.port}`
  const call = (...words: string[]) =>
    new Promise<{ code: number | null; said: string }>((resolve, reject) => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      t.after(() => void child.kill('SIGKILL'))
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, said }))
    })
  return { resolver, server, call, text: () => readFile(join(folder, 'waypost.yaml'), 'utf8') }
}

test('the resolver that was named is written down, so that the plan asks it too and changes nothing', async (t) => {
  const { resolver, server, call, text } = await start(t)
  const made = await call('init', 'example.test', '--resolver', resolver, '--server', server, '--private')
  assert.equal(made.code, 0, made.said)
  assert.match(made.said, /guessed, because nobody said it: hostname: /)
  const written = await text()
  assert.match(written, /^hostname: \S+ # guessed: see that it is right$/m)
  assert.ok(written.includes(`resolver: { servers: ["${resolver}"] }`), written)
  assert.match(written, /^# This is what .* said when it was written: where others say the same/m)
  const plan = await call('plan', '--no-smtp')
  assert.equal(plan.code, 0, plan.said)
})

test('what was said is no guess; a place that nobody named is one', async (t) => {
  const { resolver, server, call, text } = await start(t)
  const words = ['--resolver', resolver, '--server', server, '--private', '--hostname', 'mx1.example.test']
  const made = await call('init', 'example.test', ...words, '--publisher', 'zonefile')
  assert.equal(made.code, 0, made.said)
  assert.match(made.said, /guessed, because nobody said it: the place of the DNS records: /)
  assert.match(await text(), /^hostname: mx1\.example\.test$/m)
  assert.match(await text(), /path: "\/etc\/bind\/db\.example\.test" # guessed/)
})

test('a server that was named and does not answer is an error, and nobody else is taken for it', async (t) => {
  const { resolver, call } = await start(t)
  const address = freeAddress()
  const dead = `${address}:${await freePort(address)}`
  for (const words of [
    ['init', 'example.test'],
    ['import', 'dns', 'example.test'],
  ]) {
    const made = await call(...words, '--resolver', resolver, '--server', dead)
    assert.equal(made.code, 2, made.said)
    assert.ok(made.said.includes(`example.test: ${dead} does not answer for it: `), made.said)
    assert.doesNotMatch(made.said, /mx1\.example\.net/)
  }
})

test('what a resolver alone says is told as such, and the rest of its TTL is not declared', async (t) => {
  const { resolver, call, text } = await start(t)
  const made = await call('init', 'example.test', '--resolver', resolver)
  assert.equal(made.code, 0, made.said)
  const warning =
    /example\.test: its own name servers could not be asked, so this is what a resolver said, without TTLs/
  assert.match(made.said, warning)
  assert.match(await text(), /^# This is what a resolver said when it was written/m)
  assert.doesNotMatch(await text(), /^ +ttl:/m)
  const imported = await call('import', 'dns', 'example.test', '--resolver', resolver)
  assert.match(imported.said, warning)
  assert.match(imported.said, /^ {4}# Its own name servers could not be asked\. .*\n {4}# ttl: 1h$/m)
})
