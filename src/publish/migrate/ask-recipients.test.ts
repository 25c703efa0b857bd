import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { startLab } from '../../../test/lab/lab.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { askRecipients, readRecipients } from './ask-recipients.ts'

const domain = 'example.test' as HostName
const host = 'mx.new.test' as HostName
const addresses = Array.from({ length: 40 }, (_, index) => `user${index}@example.test`)

async function stage(t: TestContext, rcpt: (path: string | undefined) => string | undefined) {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt })
  const { server } = await startDns(t, { [host]: { A: [backend.address] } })
  const deps = {
    clock: steadyClock,
    random: systemRandom,
    log: silentLog,
    door: systemDoor,
    exchangerTurns: createQueueByKey(),
  }
  const resolver = createResolver({ servers: [server], timeoutMs: 1_000, deadlineMs: 5_000 }, deps)
  t.after(() => resolver.close())
  const options = {
    ...{ asksSmtp: true, isPrivate: true, smtpPort: backend.port, httpsPort: 443 },
    hello: 'waypost.example.net',
  }
  const ask = (all: readonly string[], isPrivate = true) =>
    askRecipients([host], all, { ...options, isPrivate }, { ...deps, resolver })
  return { backend, ask }
}

test('one of forty addresses that the new side does not know is named, with what it said', async (t) => {
  const { backend, ask } = await stage(t, (path) =>
    path === 'user17@example.test' ? '550 5.1.1 no such user' : undefined,
  )
  assert.deepEqual(await ask(addresses), [
    {
      ...{ host, unasked: 0, why: undefined },
      refused: [{ address: 'user17@example.test', reply: '550 5.1.1 no such user' }],
    },
  ])
  assert.equal(backend.sessions.length, 1, 'it is asked politely')
  assert.deepEqual(backend.messages, [])
  assert.deepEqual(backend.violations, [])
})

test('many are asked in several sessions, and who asks for patience has said nothing', async (t) => {
  const many = Array.from({ length: 120 }, (_, index) => `u${index}@example.test`)
  const { backend, ask } = await stage(t, (path) => (path === 'u77@example.test' ? '451 4.7.1 later' : undefined))
  assert.deepEqual(await ask(many), [{ host, refused: [], unasked: 1, why: '451 4.7.1 later' }])
  assert.equal(backend.sessions.length, 3)
})

test('who answers nothing at all is asked once; a host inside is not asked', async (t) => {
  const { backend, ask } = await stage(t, () => '451 4.7.1 later')
  const many = Array.from({ length: 120 }, (_, index) => `u${index}@example.test`)
  const [asked] = await ask(many)
  assert.deepEqual([asked?.unasked, backend.sessions.length], [120, 1])
  assert.deepEqual(await ask(addresses, false), [{ host, refused: [], unasked: 40, why: 'it has no address to ask' }])
})

test('addresses are read from lines, and what is none is told with its place', () => {
  const read = (text: string) => readRecipients(text, domain)
  assert.deepEqual(read('# all\r\na@example.test\r\n\n  "b.c"@EXAMPLE.test\na@example.test\n'), {
    kind: 'addresses',
    addresses: ['a@example.test', 'b.c@example.test'],
  })
  for (const [text, why] of [
    ['a@example.test\nb', /^line 2: "b" has no "@"/],
    ['a@example.org', /^line 1: "a@example\.org" is no address of example\.test/],
    ['"a b"@example.test', /has a blank/],
    ['a@example.test\u0000', /characters outside/],
    ['# nobody', /no address in it/],
    [Array.from({ length: 10_001 }, (_, index) => `u${index}@example.test`).join('\n'), /^line 10001: .*10000/],
  ] as const) {
    const said = read(text)
    assert.ok(said.kind === 'invalid')
    assert.match(said.why, why)
  }
})
