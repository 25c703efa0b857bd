import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'

// A reload: what changed holds at once, and what did not goes on undisturbed.
test('new routes at once; a session in progress keeps the ones that it began with', async (t) => {
  const lab = await startLab(t)
  const [before, after] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: before })
  const old = await lab.connect()
  await old.hello()
  await old.untilData('old@sender.test', 'you@example.test')
  await gateway.apply({ deliver: after })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([before.messages.length, after.messages.length], [0, 1])
  await old.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await old.expect(250)
  await old.untilData('old@sender.test', 'you@example.test')
  await old.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await old.expect(250)
  assert.deepEqual([before.messages.length, after.messages.length], [2, 1])
})

test('a domain that is dropped is refused at once, one that is added is taken', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ domains: { 'one.test': { deliver: backend } } })
  await gateway.apply({
    domains: { 'two.test': { deliver: backend } },
    leftRecently: (domain) => domain === 'one.test',
  })
  assert.equal((await lab.send({ to: 'you@one.test' })).code, 451)
  assert.equal((await lab.send({ to: 'you@two.test' })).code, 250)
})

test('pools survive: the session that was open before serves behind the reload', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await gateway.apply({ deliver: [{ to: backend, weight: 7 }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.sessions.length, 1)
  // With other options it is another backend.
  await gateway.apply({ deliver: [{ to: backend, tls: 'off' }] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.sessions.length, 2)
})

test('health survives: what was down stays down, and what was out stays out', async (t) => {
  const lab = await startLab(t)
  const [down, out, spare] = [await lab.backend({ connect: 'refuse' }), await lab.backend(), await lab.backend()]
  const deliver = [down, out, { to: spare, preference: 20 }]
  const gateway = await lab.gateway({ deliver })
  assert.equal(await gateway.setOut(out.url, true), 'done')
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await gateway.apply({ deliver, hostname: 'mx2.waypost.test' })
  const states = () => gateway.backends().map(({ state }) => state)
  assert.deepEqual(states().slice(0, 3), ['down', 'out', 'up'])
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(spare.messages.length, 2)
  assert.equal(await gateway.setOut(out.url, false), 'done')
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(out.messages.length, 1)
})

test('another name: greeting, trace and our EHLO have it at once', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  await gateway.apply({ hostname: 'other.waypost.test' })
  const sender = await lab.connect()
  assert.match((await sender.expect(220)).text, /^other\.waypost\.test /)
  await sender.command('EHLO sender.test', 250)
  await sender.untilData('a@sender.test', 'you@example.test')
  await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await sender.expect(250)
  assert.equal(backend.commands[0], 'EHLO other.waypost.test')
  assert.match(backend.messages[0]?.content.toString('latin1') ?? '', /\tby other\.waypost\.test /)
})

test('limits of now hold for connections from now on', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const old = await lab.connect()
  assert.ok((await old.hello()).includes('SIZE 52428800'))
  await gateway.apply({ limits: { messageBytes: 1000 } })
  const young = await lab.connect()
  assert.ok((await young.hello()).includes('SIZE 1000'))
  await old.untilData('a@sender.test', 'you@example.test')
  await old.write(`${'x'.repeat(70)}\r\n`.repeat(100))
  await old.write('.\r\n')
  await old.expect(250)
})

test('a certificate that cannot be read changes nothing', async (t) => {
  const lab = await startLab(t)
  const [before, after] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: before, tls: true })
  await assert.rejects(gateway.apply({ deliver: after, tls: { certificate: '/nowhere/a.pem', key: '/nowhere/b.pem' } }))
  assert.equal((await lab.send({ to: 'you@example.test', tls: true })).code, 250)
  assert.deepEqual([before.messages.length, after.messages.length], [1, 0])
})

test('listeners: one that is added listens, one that is dropped does not, and its sessions go on', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  const old = await lab.connect()
  await old.hello()
  const [place] = await gateway.apply({ listen: [{ address: freeAddress(), port: 0 }] })
  assert.ok(place)
  await assert.rejects(lab.send({ to: 'you@example.test' }), { code: 'ECONNREFUSED' })
  assert.equal((await lab.send({ to: 'you@example.test', via: place })).code, 250)
  await old.untilData('a@sender.test', 'you@example.test')
  await old.write('Subject: x\r\n\r\nx\r\n.\r\n')
  await old.expect(250)
})

test('all of a reload or none of it: one listener that is taken, or a certificate that is none, leaves everything as it was', async (t) => {
  const lab = await startLab(t)
  const [before, after] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: before })
  const kept = { address: gateway.address, port: 0 }
  const added = { address: freeAddress(), port: 2525 }
  const taken = { address: after.address, port: after.port }
  const wrong = { certificate: '/nowhere/a.pem', key: '/nowhere/b.pem' }
  for (const [what, words, code] of [
    ['a listener that is taken', { listen: [added, taken] }, 'EADDRINUSE'],
    ['a certificate', { listen: [added], tls: wrong }, 'ENOENT'],
  ] as const) {
    const applied = gateway.apply({ deliver: after, hostname: 'other.waypost.test', ...words })
    await assert.rejects(applied, { code }, what)
    // What was bound already is bound no more, and the old one still listens.
    await assert.rejects(lab.send({ to: 'you@example.test', via: added }), { code: 'ECONNREFUSED' }, what)
    const sender = await lab.connect()
    assert.match((await sender.expect(220)).text, /^mx\.waypost\.test /, what)
  }
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([before.messages.length, after.messages.length], [1, 0])
  // Nothing stands in the way of a good one.
  await gateway.apply({ deliver: after, listen: [kept, added] })
  assert.equal((await lab.send({ to: 'you@example.test', via: added })).code, 250)
  assert.deepEqual([before.messages.length, after.messages.length], [1, 1])
})
