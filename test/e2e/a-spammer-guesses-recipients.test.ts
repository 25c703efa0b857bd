import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { type Lab, startLab } from '../lab/lab.ts'

// A thousand unknown recipients hurt nobody: a backend counts them against us, and slows all of our mail down.
const onlyYou = (address: string) => (address === 'you@example.test' ? undefined : '550 5.1.1 No such user')

/** How many recipients each session of the backend has refused. */
const refusedBySession = (backend: FakeBackend) =>
  backend.sessions.map(
    ({ commands }) => commands.filter((line) => line.startsWith('RCPT') && !line.includes('<you@')).length,
  )

/** One connection that tries unknown recipients until it is closed. @returns the codes that it heard */
async function guess(lab: Lab, source: string, way: 'one by one' | 'one a transaction' | 'all at once') {
  const sender = await lab.connect({ source })
  await sender.hello()
  const codes: number[] = []
  if (way === 'all at once') {
    const commands = Array.from({ length: 20 }, (_, number) => `RCPT TO:<guess${number}@example.test>\r\n`)
    await sender.write(`MAIL FROM:<a@sender.test>\r\n${commands.join('')}`)
    await sender.expect(250)
    for (let heard = await sender.nextReply(); heard; heard = await sender.nextReply()) {
      codes.push(heard.code)
      if (heard.code === 421) assert.equal(heard.enhanced, '4.7.0')
      if (codes.length === 20) break
    }
    sender.destroy()
    return codes
  }
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  for (let number = 0; number < 20 && codes.at(-1) !== 421; number++) {
    const heard = await sender.command(`RCPT TO:<guess${number}@example.test>`)
    codes.push(heard.code)
    if (heard.code === 421) assert.equal(heard.enhanced, '4.7.0')
    if (way === 'one a transaction' && codes.at(-1) !== 421) {
      await sender.command('RSET', 250)
      await sender.command('MAIL FROM:<a@sender.test>', 250)
    }
  }
  sender.destroy()
  return codes
}

for (const way of ['one by one', 'one a transaction', 'all at once'] as const) {
  test(`recipients guessed ${way}: 421 at the tenth, and no backend session refuses more than five`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({ rcpt: onlyYou })
    await lab.gateway({ deliver: backend })
    const codes = await guess(lab, '127.60.0.1', way)
    assert.deepEqual(codes, [...Array.from({ length: 9 }, () => 550), 421])
    assert.ok(
      refusedBySession(backend).every((refused) => refused <= 5),
      String(refusedBySession(backend)),
    )
  })
}

test('a session that has refused four already refuses one more, not five', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: onlyYou })
  await lab.gateway({ deliver: backend })
  const to = (count: number) => Array.from({ length: count }, (_, number) => `guess${number}@example.test`)
  await lab.send({ to: to(4), pipelined: true })
  await lab.send({ to: to(5), pipelined: true })
  await lab.send({ to: to(5), pipelined: true })
  const refused = refusedBySession(backend)
  assert.equal(
    refused.reduce((sum, each) => sum + each, 0),
    14,
  )
  assert.ok(
    refused.every((each) => each <= 5),
    String(refused),
  )
})

test('a good recipient among the bad ones is delivered to, over a session that had to be changed', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: onlyYou })
  await lab.gateway({ deliver: backend })
  const guesses = Array.from({ length: 9 }, (_, number) => `guess${number}@example.test`)
  for (const pipelined of [false, true]) {
    const sent = await lab.send({ to: ['you@example.test', ...guesses], pipelined })
    assert.equal(sent.code, 250)
    assert.deepEqual(backend.messages.at(-1)?.to, ['you@example.test'])
  }
  assert.ok(
    refusedBySession(backend).every((refused) => refused <= 5),
    String(refusedBySession(backend)),
  )
  assert.deepEqual(backend.violations, [])
})

test('30 refusals a minute: then 450 4.7.1 without asking, for that address and no other; postmaster is heard', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: onlyYou })
  const gateway = await lab.gateway({ deliver: backend })
  for (let number = 0; number < 3; number++) await guess(lab, '127.60.0.1', 'one by one')
  const asked = backend.commands.length

  const limited = await lab.send({ to: 'you@example.test', source: '127.60.0.1' })
  assert.deepEqual([limited.step, limited.code, limited.enhanced], ['rcpt', 450, '4.7.1'])
  assert.equal(backend.commands.slice(asked).filter((line) => line.startsWith('RCPT')).length, 0)
  assert.equal((await lab.send({ to: 'postmaster', source: '127.60.0.1' })).code, 250)
  assert.equal((await lab.send({ to: 'postmaster@example.test', source: '127.60.0.1' })).code, 250)
  assert.equal((await lab.send({ to: 'you@example.test', source: '127.60.0.2' })).code, 250)
  assert.equal(gateway.backends()[0]?.state, 'up')
})

test('a stranger guesses through a trusted filter: it hears each no, and its mail to those who exist goes on', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: onlyYou })
  await lab.gateway({ deliver: backend, trusted: ['127.60.0.0/16'] })
  const sender = await lab.connect({ source: '127.60.0.1' })
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  for (let number = 0; number < 60; number++) await sender.command(`RCPT TO:<guess${number}@example.test>`, 550)
  await sender.command('RCPT TO:<you@example.test>', 250)
  assert.equal((await lab.send({ to: 'you@example.test', source: '127.60.0.1' })).code, 250)
  assert.ok(
    refusedBySession(backend).every((refused) => refused <= 5),
    String(refusedBySession(backend)),
  )
})

test('a thousand unknown recipients: the backend is asked about few, counts no session down, and is up', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: onlyYou })
  const gateway = await lab.gateway({ deliver: backend })
  let heard = 0
  while (heard < 1_000) heard += (await guess(lab, '127.60.0.1', 'all at once')).length
  const refused = refusedBySession(backend)
  assert.ok(refused.reduce((sum, each) => sum + each, 0) <= 40, String(refused))
  assert.ok(refused.every((each) => each <= 5))
  assert.equal(gateway.backends()[0]?.state, 'up')
  assert.equal((await lab.send({ to: 'you@example.test', source: '127.60.0.2' })).code, 250)
})

/** So many connections at once, each of which asks for one recipient. @returns how often each code was heard, once the backend is let go */
async function burst(lab: Lab, backend: FakeBackend, connections: number, least: number, answer: () => void) {
  const before = backend.commands.length
  const rcpts = () => backend.commands.slice(before).filter((line) => line.startsWith('RCPT')).length
  const senders = await Promise.all(
    Array.from({ length: connections }, async (_, number) => {
      const sender = await lab.connect({ source: '127.60.0.1' })
      await sender.hello()
      await sender.command('MAIL FROM:<a@sender.test>', 250)
      return { sender, number }
    }),
  )
  const codes = senders.map(async ({ sender, number }) => {
    const { code } = await sender.command(`RCPT TO:<${number}@example.test>`)
    return code
  })
  await lab.until(() => rcpts() >= least)
  answer()
  const heard = new Map<number, number>()
  for (const code of await Promise.all(codes)) heard.set(code, (heard.get(code) ?? 0) + 1)
  for (const { sender } of senders) sender.destroy()
  return { heard: Object.fromEntries(heard), asked: rcpts() }
}

for (const [who, answer, expected] of [
  ['guesses', '550 5.1.1 No such user', { heard: { 450: 30, 550: 20 }, asked: 20 }],
  ['means people who exist', undefined, { heard: { 250: 50 }, asked: 50 }],
] as const)
  test(`fifty connections of one client ask at once, and it ${who}`, async (t) => {
    const lab = await startLab(t)
    const open = Promise.withResolvers<void>()
    const backend = await lab.backend({ rcpt: () => open.promise.then(() => answer) })
    await lab.gateway({ deliver: [{ to: backend, connections: 100 }], limits: { refusedPerMinute: 20 } })
    assert.deepEqual(await burst(lab, backend, 50, 20, open.resolve), expected)
  })

test('a backend that is silent holds up what its neighbours send to it, and nothing that goes elsewhere', async (t) => {
  const lab = await startLab(t)
  const silent = await lab.backend({ rcpt: 'silence' })
  const good = await lab.backend()
  await lab.gateway({
    domains: { 'silent.test': { deliver: silent }, 'good.test': { deliver: good } },
    limits: { refusedPerMinute: 3 },
    budgets: { rcptMs: 2_000 },
  })
  const ask = async (name: string) => {
    const sender = await lab.connect({ source: '127.60.0.1' })
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    return { sender, answer: sender.command(`RCPT TO:<${name}@silent.test>`) }
  }
  const first = await Promise.all(['one', 'two', 'three'].map(ask))
  await lab.until(() => silent.commands.filter((line) => line.startsWith('RCPT')).length === 3)
  const late = await ask('late')
  assert.equal((await lab.send({ to: 'you@good.test', source: '127.60.0.1' })).code, 250)
  assert.equal((await late.answer).code, 451)
  for (const { sender, answer } of [...first, late]) {
    sender.destroy()
    await answer.catch(() => undefined)
  }
})

test('who asks for somebody who exists again and again wins no room for guesses by it', async (t) => {
  const lab = await startLab(t)
  const open = Promise.withResolvers<void>()
  const backend = await lab.backend({
    rcpt: (address) => (address.startsWith('you@') ? undefined : open.promise.then(() => '550 5.1.1 No such user')),
  })
  await lab.gateway({ deliver: [{ to: backend, connections: 100 }], limits: { refusedPerMinute: 5 } })
  const sender = await lab.connect({ source: '127.60.0.1' })
  await sender.hello()
  for (let times = 0; times < 40; times++) {
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    await sender.command('RCPT TO:<you@example.test>', 250)
    await sender.command('RSET', 250)
  }
  assert.deepEqual(await burst(lab, backend, 30, 5, open.resolve), { heard: { 450: 25, 550: 5 }, asked: 5 })
  sender.destroy()
})

for (const [whom, name, asked] of [
  ['forty plus-addresses of one mailbox wins room for one guess', (number: number) => `you+${number}`, 6],
  [
    'forty people wins room for as many guesses as may be refused, and no more',
    (number: number) => `you.${number}`,
    10,
  ],
] as const)
  test(`who sends a message to ${whom}`, async (t) => {
    const lab = await startLab(t)
    const open = Promise.withResolvers<void>()
    const backend = await lab.backend({
      rcpt: (address) => (address.startsWith('you') ? undefined : open.promise.then(() => '550 5.1.1 No such user')),
    })
    await lab.gateway({ deliver: [{ to: backend, connections: 100 }], limits: { refusedPerMinute: 5 } })
    const sender = await lab.connect({ source: '127.60.0.1' })
    await sender.hello()
    await sender.untilData(
      'a@sender.test',
      ...Array.from({ length: 40 }, (_, number) => `${name(number)}@example.test`),
    )
    await sender.write('hello\r\n.\r\n')
    await sender.expect(250)
    const heard = { 450: 30 - asked, 550: asked }
    assert.deepEqual(await burst(lab, backend, 30, asked, open.resolve), { heard, asked })
    sender.destroy()
  })

test('who goes while it waits for its turn is not asked for, and a gateway that stops waits for nobody', async (t) => {
  const lab = await startLab(t)
  const open = Promise.withResolvers<void>()
  const backend = await lab.backend({ rcpt: () => open.promise.then(() => undefined) })
  const gateway = await lab.gateway({ deliver: backend, limits: { refusedPerMinute: 1 } })
  const rcpts = () => backend.commands.filter((line) => line.startsWith('RCPT'))
  const begin = async (name: string) => {
    const sender = await lab.connect({ source: '127.60.0.1' })
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    await sender.write(`RCPT TO:<${name}@example.test>\r\n`)
    return sender
  }
  const first = await begin('first')
  await lab.until(() => rcpts().length === 1)
  const gone = await begin('gone')
  const patient = await begin('patient')
  gone.destroy()
  await lab.until(() => gateway.find('disconnected').length === 1)
  open.resolve()
  await first.expect(250)
  await patient.expect(250)
  assert.deepEqual(rcpts(), ['RCPT TO:<first@example.test>', 'RCPT TO:<patient@example.test>'])
  first.destroy()
  patient.destroy()

  backend.change({ rcpt: 'silence' })
  await begin('stuck')
  await lab.until(() => rcpts().length === 3)
  const waiting = await begin('waiting')
  await gateway.stop()
  await waiting.closed()
  assert.equal(rcpts().length, 3)
})

test("somebody else's postmaster is a name like any other: 421 at the tenth; ours may be asked for as often as anybody likes", async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '550 5.1.1 nobody here' })
  await lab.gateway({ deliver: backend, postmaster: backend })
  const ask = async (address: string, times: number) => {
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<a@sender.test>', 250)
    const codes: number[] = []
    while (codes.length < times && codes.at(-1) !== 421) codes.push((await sender.command(`RCPT TO:<${address}>`)).code)
    sender.destroy()
    return codes
  }
  assert.deepEqual(await ask('postmaster@elsewhere.test', 12), [...Array.from({ length: 9 }, () => 550), 421])
  assert.deepEqual(
    await ask('postmaster@example.test', 12),
    Array.from({ length: 12 }, () => 550),
  )
})

test('a flood of recipients that a backend defers is told by its first lines, and by one that counts the others', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '450 4.2.0 greylisted' })
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  await sender.command('MAIL FROM:<a@sender.test>', 250)
  for (let number = 0; number < 100; number++) await sender.command(`RCPT TO:<user${number}@example.test>`, 450)
  sender.destroy()
  assert.equal(gateway.find('recipient deferred').length, 30)
  await gateway.stop()
  const [line, ...others] = gateway.find('more recipients not accepted')
  assert.deepEqual([line?.fields.client, line?.fields.deferred, others], ['127.0.0.1', 70, []])
})
