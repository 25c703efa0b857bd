import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { type Backend, startBackend } from '../../../test/unit/scripted-backend.ts'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { systemRandom } from '../../base/random.ts'
import { Misuse } from '../misuse.ts'
import type { SendIo } from './io.ts'
import { type RawOptions, splitList } from './options.ts'
import { runSend } from './send.ts'

interface Run {
  readonly exit: number
  readonly out: readonly string[]
  readonly err: readonly string[]
}

async function send(raw: Partial<RawOptions>, more: Partial<SendIo> = {}): Promise<Run> {
  const out: string[] = []
  const err: string[] = []
  const io: SendIo = {
    clock: systemClock,
    random: systemRandom,
    door: systemDoor,
    machine: { hostname: 'here.example.test', user: 'me', npmScript: undefined },
    lookupHost: async () => [],
    findServer: async () => '127.0.0.1:1',
    readInput: async () => undefined,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    ...more,
  }
  const options = { to: ['you@example.test'], count: '1', concurrency: '1', ...raw }
  try {
    return { exit: await runSend(options, io), out, err }
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    return { exit: 2, out, err: error.whys }
  }
}

const at = (backend: Backend) => `127.0.0.1:${backend.port}`

test('sent: the reply on standard output, exit 0, the message in order', async (t) => {
  const backend = await startBackend(t)
  const run = await send({ server: at(backend), subject: 'Grüße', body: 'one\n.two\n' })
  assert.deepEqual(run, { exit: 0, out: ['250 2.0.0 taken'], err: [] })
  const [head = '', body] = (backend.messages[0] ?? '').split('\r\n\r\n')
  assert.equal(body, 'one\r\n.two\r\n')
  assert.match(
    head,
    /^From: me@here\.example\.test\r\nTo: you@example\.test\r\nSubject: =\?utf-8\?B\?R3LDvMOfZQ==\?=\r\n/,
  )
  assert.match(head, /\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n/)
  assert.match(head, /\r\nMessage-ID: <[\w.]+@here\.example\.test>$/)
  assert.match(
    backend.commands.join('\n'),
    /^EHLO here\.example\.test\nMAIL FROM:<me@here\.example\.test> SIZE=\d+\nRCPT /,
  )
})

test('the bare postmaster is a recipient, and no other name without a domain is', async (t) => {
  const backend = await startBackend(t)
  assert.equal((await send({ server: at(backend), to: ['Postmaster'] })).exit, 0)
  assert.ok(backend.commands.includes('RCPT TO:<postmaster>'), backend.commands.join('\n'))
  const wrong = await send({ server: at(backend), to: ['joe'] })
  assert.deepEqual([wrong.exit, wrong.err], [2, ['--to joe: has no "@" behind the local part']])
})

test('without a recipient, npm is told how to pass it on', async () => {
  const plain = await send({ to: [] })
  assert.match(plain.err[0] ?? '', /--to is missing: who shall have the message/)
  const machine = { hostname: 'here.example.test', user: 'me', npmScript: 'send' }
  const { exit, err } = await send({ to: [] }, { machine })
  assert.equal(exit, 2)
  assert.match(err[0] ?? '', /npm keeps options to itself .*npm run send -- --to you@example\.test$/)
})

test('a whole message on standard input is sent as it is; a text gets a header', async (t) => {
  const backend = await startBackend(t)
  await send({ server: at(backend) }, { readInput: async () => Buffer.from('From: a@b.example\nX: y\n\nbody') })
  assert.equal(backend.messages[0], 'From: a@b.example\r\nX: y\r\n\r\nbody\r\n')
  await send({ server: at(backend) }, { readInput: async () => Buffer.from('Dear all: hello\nthere') })
  assert.match(backend.messages[1] ?? '', /^From: [\s\S]*\r\n\r\nDear all: hello\r\nthere\r\n$/)
  const clash = await send(
    { server: at(backend), subject: 'x' },
    { readInput: async () => Buffer.from('Subject: y\n\nz') },
  )
  assert.equal(clash.exit, 2)
  assert.match(clash.err[0] ?? '', /Subject of its own/)
})

test('refused: what the server said, exit 1; the others get the message', async (t) => {
  const backend = await startBackend(t, {
    on: (verb, line) => (verb === 'RCPT' && line.includes('bad') ? '550 5.1.1 no such user' : undefined),
  })
  const by = [`waypost: refused by ${at(backend)}`]
  const some = await send({ server: at(backend), to: ['bad@example.test', 'you@example.test'], body: 'x' })
  assert.deepEqual(some, {
    exit: 1,
    out: ['550 5.1.1 no such user (for bad@example.test)', '250 2.0.0 taken'],
    err: by,
  })
  const all = await send({ server: at(backend), to: ['bad@example.test'], body: 'x' })
  assert.deepEqual(all, { exit: 1, out: ['550 5.1.1 no such user (for bad@example.test)'], err: by })
  backend.behaviour = { on: (verb) => (verb === '.' ? '554 5.7.1 spam\x1b[31m' : undefined) }
  const dot = await send({ server: at(backend), body: 'x' })
  assert.deepEqual(dot, { exit: 1, out: ['554 5.7.1 spam [31m'], err: by })
  backend.behaviour = { on: (verb) => (verb === 'MAIL' ? '451 4.7.1 later' : undefined) }
  assert.deepEqual((await send({ server: at(backend), body: 'x' })).out, ['451 4.7.1 later (for the sender)'])
})

test('could not: one line that says what to look at, exit 2', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : 0
  server.close()
  await once(server, 'close')
  const nobody = await send({ server: `127.0.0.1:${port}`, body: 'x' })
  assert.equal(nobody.exit, 2)
  assert.equal(nobody.err.length, 1)
  assert.match(nobody.err[0] ?? '', /nothing listens on 127\.0\.0\.1:\d+\. Is the server running/)

  const backend = await startBackend(t, { greeting: '554 no\x1b[2J' })
  assert.match((await send({ server: at(backend), body: 'x' })).err[0] ?? '', /does not want to talk: 554 no \[2J$/)
  backend.behaviour = {}
  assert.match((await send({ server: at(backend), body: 'x', tls: true })).err[0] ?? '', /no TLS with .* STARTTLS/)
  backend.behaviour = { on: (verb) => (verb === '.' ? 'close' : undefined) }
  assert.match(
    (await send({ server: at(backend), body: 'x' })).err[0] ?? '',
    /whether the server took the message is unknown/,
  )
  const nowhere = await send(
    { server: 'nowhere.example.test:25' },
    { lookupHost: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) },
  )
  assert.equal(nowhere.exit, 2)
  assert.match(nowhere.err[0] ?? '', /nowhere\.example\.test has no address \(ENOTFOUND\)/)
})

for (const [what, raw, says] of [
  ['no recipient', { to: [] }, /--to is missing/],
  ['a bad recipient', { to: ['you'] }, /--to you: has no "@"/],
  ['a recipient with a line end', { to: ['a@b.example\r\nRSET'] }, /--to .*printable ASCII/],
  ['a bad sender', { from: 'x y@z.example' }, /--from/],
  ['a bad server', { server: 'a:b:c' }, /--server/],
  ['an address that programs read differently', { server: '127.1:25' }, /--server/],
  ['port 0', { server: 'localhost:0' }, /--server/],
  ['a bad helo', { helo: 'a b' }, /--helo/],
  ['a bad count', { count: '-1' }, /--count/],
  ['a subject of two lines', { subject: 'a\nBcc: x' }, /subject/],
] as const) {
  test(`${what} is told before anything is connected`, async () => {
    const run = await send({ ...raw, body: 'x' })
    assert.equal(run.exit, 2)
    assert.match(run.err[0] ?? '', says)
  })
}

test('-v shows the dialogue, made printable, on standard error; --tls is used', async (t) => {
  const backend = await startBackend(t, { extensions: ['STARTTLS'], greeting: '220 hi \x07' })
  const run = await send({ server: at(backend), body: 'x', verbose: true, tls: true, from: '<>' })
  assert.equal(run.exit, 0)
  assert.deepEqual(run.err.slice(0, 2), ['S: 220 hi \\x07', 'C: EHLO here.example.test'])
  assert(run.err.includes('C: STARTTLS'))
  assert(run.err.includes('C: MAIL FROM:<>'))
  assert.match(run.err.join('\n'), /C: \(\d+ octets of message, and the dot\)\nS: 250 2\.0\.0 taken\nC: QUIT$/)
})

test('--count over --concurrency sessions, each used again', async (t) => {
  const backend = await startBackend(t)
  const run = await send({ server: at(backend), body: 'x', count: '20', concurrency: '3' })
  assert.equal(run.exit, 0)
  assert.match(run.out.join('\n'), /^sent 20 of 20 messages in [\d.]+ s, \d+ a second$/)
  assert.equal(backend.messages.length, 20)
  assert.equal(backend.peers.length, 3)
  assert.equal(new Set(backend.messages.map((each) => /Message-ID: (.*)/.exec(each)?.[1])).size, 20)
})

test('--count ends where there is no new connection, and says so and how many are left', async (t) => {
  const backend = await startBackend(t)
  const busy = { greeting: '421 Too many', on: (verb: string) => (verb === 'MAIL' ? '421 4.3.2 closing' : undefined) }
  backend.behaviour = {
    on(verb) {
      if (verb === '.' && backend.messages.length === 2) backend.behaviour = busy
      return undefined
    },
  }
  const run = await send({ server: at(backend), body: 'x', count: '5' })
  assert.equal(run.exit, 2)
  assert.match(run.out.join('\n'), /^421 4\.3\.2 closing \(for the sender\)\nsent 2 of 5 messages in /)
  assert.deepEqual(run.err, [
    `waypost: ${at(backend)} does not want to talk: 421 Too many. It may take one later, or fewer at once (--concurrency).`,
    'waypost: stopped with 2 not tried, because there was no new connection: what cannot be reached once is not tried again and again',
  ])
})

test('without --server it goes where the configuration at hand says', async (t) => {
  const backend = await startBackend(t)
  const asked: unknown[] = []
  const findServer = async (config: string | undefined) => {
    asked.push(config)
    return at(backend)
  }
  assert.deepEqual([(await send({ body: 'x', config: 'here.yaml' }, { findServer })).exit, asked], [0, ['here.yaml']])
})

/** The command in a process of its own, as `main.ts` runs it. */
function start(words: readonly string[], stdin: 'ignore' | 'pipe'): ChildProcess {
  const script = `import { sendCommand } from ${JSON.stringify(new URL('./send.ts', import.meta.url).href)}
    await sendCommand().parseAsync(${JSON.stringify(words)}, { from: 'user' })`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: [stdin, 'pipe', 'pipe'] })
}

test('the process: a message on standard input, none on /dev/null, comma lists, exit codes', async (t) => {
  const backend = await startBackend(t)
  const piped = start(
    ['--server', at(backend), '--to', 'a@example.test,b@example.test', '--to', 'c@example.test'],
    'pipe',
  )
  piped.stdin?.end('Subject: piped\n\nhello\n')
  assert.deepEqual(await once(piped, 'exit'), [0, null])
  assert.equal(backend.messages[0], 'Subject: piped\r\n\r\nhello\r\n')
  assert.equal(backend.commands.filter((line) => line.startsWith('RCPT')).length, 3)

  const without = start(['--server', at(backend), '--to', 'a@example.test', '--from', 'me@example.test'], 'ignore')
  assert.deepEqual(await once(without, 'exit'), [0, null])
  assert.match(backend.messages[1] ?? '', /Subject: Test from waypost send\r\n[\s\S]*\r\n\r\nThis is a test message/)

  backend.behaviour = { on: (verb) => (verb === 'RCPT' ? '550 no' : undefined) }
  const refused = start(['--server', at(backend), '--to', 'a@example.test', '--body', 'x'], 'pipe')
  assert.deepEqual(await once(refused, 'exit'), [1, null])
})

test('an address may stand behind a name, as in a header', async (t) => {
  const backend = await startBackend(t)
  const to = ['Joe <joe@example.test>', '"Doe, J." <jane@example.test>', '<plain@example.test>']
  const run = await send({ server: at(backend), to: to.flatMap(splitList), from: 'Me <me@example.test>', body: 'x' })
  assert.deepEqual([run.exit, run.err], [0, []])
  const said = backend.commands.filter((line) => /^(MAIL|RCPT)/.test(line)).map((line) => /<.*>/.exec(line)?.[0])
  assert.deepEqual(said, ['<me@example.test>', '<joe@example.test>', '<jane@example.test>', '<plain@example.test>'])
  for (const wrong of ['Joe <joe@example.test', 'Joe joe@example.test>', 'Joe <a@b.test> <c@d.test>'])
    assert.equal((await send({ server: at(backend), to: [wrong], body: 'x' })).exit, 2, wrong)
})
