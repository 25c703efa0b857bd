import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §4.5.3.1 asks for these limits at least; what is above is refused for now, never dropped.
test('the 51st connection of an address hears 421; another address is served, and a place that is left is free', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const source = '127.90.0.1'
  const at = { address: gateway.address, port: gateway.port }
  const senders = await Promise.all(Array.from({ length: 50 }, () => lab.connect({ source, ...at })))
  for (const sender of senders) await sender.expect(220)
  const tooMany = await lab.send({ to: 'you@example.test', source })
  assert.deepEqual([tooMany.step, tooMany.code, tooMany.enhanced], ['greeting', 421, undefined])
  assert.equal((await lab.send({ to: 'you@example.test', source: '127.90.0.2' })).code, 250)
  await senders[0]?.quit()
  await lab.until(() => gateway.find('disconnected').length >= 2)
  assert.equal((await lab.send({ to: 'you@example.test', source })).code, 250)
})

test('a network has its limit, and all together have theirs', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, limits: { connections: 4, connectionsPerNetwork: 3 } })
  const at = { address: gateway.address, port: gateway.port }
  for (const last of [1, 2, 3]) {
    const sender = await lab.connect({ source: `127.90.1.${last}`, ...at })
    await sender.expect(220)
  }
  const network = await lab.send({ to: 'you@example.test', source: '127.90.1.4' })
  assert.deepEqual([network.step, network.code, network.enhanced], ['greeting', 421, undefined])
  const other = await lab.connect({ source: '127.90.2.1', ...at })
  await other.expect(220)
  const full = await lab.send({ to: 'you@example.test', source: '127.90.3.1' })
  assert.deepEqual([full.step, full.code, full.enhanced], ['greeting', 421, undefined])
})

test('no room in the spool: 452 4.3.1 at MAIL for what is declared, at the dot for what is not, and others go on', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend, limits: { spool: 400_000, bodyMemory: 100_000 } })
  const declared = await lab.send({ to: 'you@example.test', mailParameters: 'SIZE=400001' })
  assert.deepEqual([declared.step, declared.code, declared.enhanced], ['mail', 452, '4.3.1'])
  assert.equal(gateway.find('message refused', { why: 'no-room' }).length, 1)
  // A quarter of the spool is one network's share.
  const body = `${'x'.repeat(70)}\n`.repeat(2_000)
  const big = await lab.send({ to: 'you@example.test', body })
  assert.deepEqual([big.step, big.code, big.enhanced], ['dot', 452, '4.3.1'])
  assert.equal(gateway.find('message refused', { why: 'no-room' }).length, 2)
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 1)

  // While one network holds its share, another is served.
  const at = { address: gateway.address, port: gateway.port }
  const hoarder = await lab.connect({ source: '127.91.0.1', ...at })
  await hoarder.hello()
  // What is declared has to fit, and takes its room only as it comes.
  await hoarder.command('MAIL FROM:<a@sender.test> SIZE=90000', 250)
  await hoarder.command('RCPT TO:<you@example.test>', 250)
  await hoarder.command('DATA', 354)
  await hoarder.write(`${'x'.repeat(70)}\r\n`.repeat(1_200))
  // The gateway may not have read what was written just now. To ask for room takes none: a message that came first would be what has no room left.
  const asking = await lab.connect({ source: '127.91.0.3', ...at })
  await asking.hello()
  await lab.until(async () => {
    const { code } = await asking.command('MAIL FROM:<c@sender.test> SIZE=30000')
    if (code === 250) await asking.command('RSET', 250)
    return code === 452
  })
  const second = await lab.send({ to: 'you@example.test', body: body.slice(0, 30_000), source: '127.91.0.2' })
  assert.deepEqual([second.code, second.enhanced], [452, '4.3.1'])
  const stranger = await lab.send({ to: 'you@example.test', body: body.slice(0, 30_000), source: '127.92.0.1' })
  assert.equal(stranger.code, 250)
  await hoarder.write('.\r\n')
  await hoarder.expect(250)
  assert.equal(
    (await lab.send({ to: 'you@example.test', body: body.slice(0, 30_000), source: '127.91.0.2' })).code,
    250,
  )
})

test('no room in memory: bodies go to file, and arrive the same', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, limits: { bodyMemory: 0 } })
  const message = `Subject: x\r\n\r\n${'.line\r\n'.repeat(10_000)}`
  assert.equal((await lab.send({ to: 'you@example.test', message })).code, 250)
  const content = backend.messages[0]?.content.toString('latin1') ?? ''
  assert.equal(content.slice(content.indexOf('Subject: x')), message)
})

test('what bodies take of the memory is bounded over all senders, and for one network by a quarter of that: what is beyond goes to file', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ afterDot: 'silence' })
  const kib = 1024
  const gateway = await lab.gateway({ deliver: backend, limits: { bodyMemory: 16 * kib } })
  const sending: Promise<unknown>[] = []
  /** @returns how many of those that wait behind their dot lie in a file */
  const filesAfter = async (source: string, octets: number) => {
    sending.push(lab.send({ to: 'you@example.test', body: 'x'.repeat(octets), source }))
    await lab.until(() => backend.messages.length === sending.length)
    return (await readdir(join(gateway.state, 'spool'))).length
  }
  assert.equal(await filesAfter('127.93.0.1', 900), 0)
  assert.equal(await filesAfter('127.93.0.2', 900), 1, 'its network has its quarter')
  for (const network of [1, 2, 3]) assert.equal(await filesAfter(`127.93.${network}.1`, 900), 1)
  assert.equal(await filesAfter('127.93.4.1', 900), 2, 'the memory is full')
  backend.say('250 2.0.0 taken')
  await Promise.all(sending)
})

test('20 errors end a session, and a hundred commands without a mail', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend, limits: { errors: 4, idleCommands: 10 } })
  const wrong = await lab.connect()
  await wrong.hello()
  for (let error = 0; error < 4; error++) await wrong.command('WHAT', 500)
  await wrong.expect(421)
  await wrong.closed()
  const idle = await lab.connect()
  await idle.hello()
  for (let command = 1; command < 10; command++) await idle.command('NOOP', 250)
  await idle.expect(421)
  await idle.closed()
})
