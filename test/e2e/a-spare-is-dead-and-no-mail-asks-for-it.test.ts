/** Redundancy is known to be there, or not to be: backends that no mail asks for are knocked at now and then. */
import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { standings } from '../../src/gateway/backends/standing.ts'
import { createFakeClock } from '../lab/fake-clock.ts'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

test('a spare that is dead is told as down without any mail, and as up when it is back', async (t) => {
  const lab = await startLab(t)
  const [main, spare] = [await lab.backend(), await lab.backend()]
  await spare.kill()
  const deliver = [main, { to: spare, preference: 20 }]
  const gateway = await lab.gateway({ deliver, hold: {} }, { clock: createFastClock(50) })
  const stateOf = (url: string) => gateway.backends().find((one) => one.url === url)?.state

  await lab.until(() => stateOf(spare.url) === 'down')
  assert.match(gateway.backends().find(({ url }) => url === spare.url)?.lastError ?? '', /^connect: /)
  // What alerts, pages and reports go by.
  assert.equal(standings(gateway.backends()).get(spare.url)?.serves, false)
  assert.equal(gateway.find('backend state', { to: 'down' }).length, 1)
  await lab.until(() => main.sessions.length > 0)
  assert.equal(stateOf(main.url), 'up')

  await spare.restart()
  await lab.until(() => stateOf(spare.url) === 'up')
  assert.deepEqual([main.messages, spare.messages], [[], []])
})

test('a knock is a session without mail, also by LMTP, and none comes where DNS alone led', async (t) => {
  const lab = await startLab(t)
  const [smtp, lmtp, stranger] = [await lab.backend(), await lab.backend({ protocol: 'lmtp' }), await lab.backend()]
  const dns = await lab.dns({
    'mx.test': { MX: [[10, 'mx1.mx.test']] },
    'mx1.mx.test': { A: [stranger.address] },
  })
  const domains = {
    'a.test': { deliver: [smtp, lmtp] },
    'b.test': { deliver: [{ to: 'mx:mx.test', mxPort: stranger.port }] },
  }
  const clock = createFakeClock()
  const gateway = await lab.gateway({ domains, resolver: { servers: [dns.server] } }, { clock })
  assert.equal((await lab.send({ to: 'you@b.test' })).code, 250)
  assert.equal(stranger.sessions.length, 1)
  assert.equal(smtp.sessions.length + lmtp.sessions.length, 0)

  await lab.until(() => {
    // The first round begins within 72 seconds, and has four backends: the postmaster's Maildir is one.
    if (clock.monotonicMs() < 80_000) clock.advance(1_000)
    const commands = [smtp, lmtp].map((each) => each.commands.map((command) => command.split(' ')[0]).join())
    return clock.monotonicMs() >= 80_000 && commands.join(';') === 'EHLO,QUIT;LHLO,QUIT'
  })
  assert.equal(stranger.sessions.length, 1)
  assert.ok(gateway.backends().every(({ state }) => state === 'up'))
})

test('a Maildir that cannot be written is told as down without any mail, with what to do, and as up when it can', async (t) => {
  const lab = await startLab(t)
  const disk = join(lab.folder, 'disk')
  const url = `maildir:${join(disk, 'box')}`
  const gateway = await lab.gateway({ deliver: url }, { clock: createFastClock(50) })
  const own = () => gateway.backends().find((one) => one.url === url) ?? assert.fail()
  await lab.until(() => own().state === 'down')
  assert.match(
    own().lastError ?? '',
    /the folder .*\/disk is missing, and only "box" in it is made by itself: make it$/,
  )
  assert.equal(standings(gateway.backends()).get(url)?.serves, false)

  await mkdir(disk)
  await lab.until(() => own().state === 'up')
  assert.deepEqual(await readdir(disk), [])
})

test('a route to the exchangers of a domain whose DNS does not answer is told as down, and as up when it does', async (t) => {
  const lab = await startLab(t)
  const exchanger = await lab.backend()
  const dns = await lab.dns({
    'mx.test': { MX: [[10, 'mx1.mx.test']] },
    'mx1.mx.test': { A: [exchanger.address] },
  })
  dns.fault('*', 'servfail')
  const gateway = await lab.gateway(
    { deliver: [{ to: 'mx:mx.test', mxPort: exchanger.port }], resolver: { servers: [dns.server] } },
    { clock: createFastClock(50) },
  )
  const own = () => gateway.backends().find(({ url }) => url.startsWith('mx:')) ?? assert.fail()
  await lab.until(() => own().state === 'down')
  assert.match(own().lastError ?? '', /^the exchangers of mx\.test cannot be found: temporary-failure/)
  dns.fault('*', undefined)
  await lab.until(() => own().state === 'up')
  assert.equal(exchanger.sessions.length, 0)
})
