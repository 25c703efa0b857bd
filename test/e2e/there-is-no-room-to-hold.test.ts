/** The hold or the disk is full: new mail is asked to come again, and what needs no disk goes on. */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { mountSmallDisk } from '../unit/small-disk.ts'

test('the hold is full: 452 for what would be held, and the rest goes on', async (t) => {
  const lab = await startLab(t)
  const [down, up] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const gateway = await lab.gateway({
    holdBytes: 40_000,
    domains: { 'down.test': { deliver: [down], hold: {} }, 'up.test': { deliver: [up], hold: {} } },
  })
  const body = 'x'.repeat(70).concat('\n').repeat(80)
  const told: string[] = []
  for (let number = 0; number < 4; number++) {
    const { code, enhanced } = await lab.send({ to: 'you@down.test', body })
    told.push(`${code} ${enhanced}`)
  }
  // One domain has a quarter.
  assert.deepEqual(told, ['250 2.0.0', '452 4.3.1', '452 4.3.1', '452 4.3.1'])
  assert.equal(gateway.held(), 1)
  assert.equal((await lab.send({ to: 'you@up.test', body })).code, 250)
  assert.equal(up.messages.length, 1)

  await down.restart()
  await lab.until(() => gateway.held() === 0)
  assert.equal(down.messages.length, 1)
  assert.equal((await lab.send({ to: 'you@down.test', body })).code, 250)
  assert.equal(down.messages.length, 2)
})

test('a domain has used its share and its backend is down: its recipients hear so, and the others of the message get it', async (t) => {
  const lab = await startLab(t)
  const [down, up, other] = [await lab.backend({ connect: 'refuse' }), await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({
    holdBytes: 40_000,
    domains: {
      'down.test': { deliver: [down], hold: {} },
      'up.test': { deliver: [up], hold: {} },
      'other.test': { deliver: [other], hold: {} },
    },
  })
  const filling = 'x'.repeat(70).concat('\n').repeat(80)
  assert.equal((await lab.send({ to: 'you@down.test', body: filling })).code, 250)
  // Not even a small one has room there.
  const small = 'x'.repeat(70).concat('\n').repeat(25)
  const full = await lab.send({ to: 'you@down.test', body: small, mailParameters: 'SIZE=2000' })
  assert.deepEqual([full.step, full.code, full.enhanced], ['rcpt', 452, '4.3.1'])
  assert.equal(gateway.find('message not held')[0]?.fields.why, 'domain')

  for (const to of [
    ['you@down.test', 'you@up.test', 'you@other.test'],
    ['you@up.test', 'you@down.test', 'you@other.test'],
  ]) {
    const sent = await lab.send({ to, body: small, mailParameters: 'SIZE=2000' })
    assert.equal(sent.code, 250, sent.text)
    const refused = sent.recipients.filter(({ code }) => code !== 250)
    assert.deepEqual(
      refused.map(({ code }) => code),
      [452],
    )
  }
  assert.deepEqual([up.messages.length, other.messages.length, gateway.held()], [2, 2, 1])
})

test('a client has taken its share of what is a domain’s: it is asked to come again, others and relays of ours are not', async (t) => {
  const lab = await startLab(t)
  const down = await lab.backend({ connect: 'refuse' })
  // For each domain sixteen messages of two KiB and some.
  const options = { deliver: [down], hold: {}, holdBytes: 4 * 16 * 2_200, trusted: ['127.77.3.0/24'] }
  const gateway = await lab.gateway(options)
  const send = async (source: string) => {
    const { code, enhanced } = await lab.send({ to: 'you@example.test', source, mailParameters: 'SIZE=100' })
    return `${code} ${enhanced}`
  }
  let taken = 0
  while ((await send(`127.77.1.${taken + 1}`)) === '250 2.0.0') taken++
  assert.ok(taken >= 8 && taken < 12, `${taken} of about half of sixteen`)
  const [alert] = gateway.find('message not held')
  assert.deepEqual([alert?.fields.why, alert?.fields.network], ['network', '127.77.1.0/24'])
  assert.equal(await send('127.77.2.1'), '250 2.0.0')
  assert.equal(await send('127.77.1.1'), '452 4.3.1')
  for (let number = 0; number < 5; number++) assert.equal(await send('127.77.3.1'), '250 2.0.0')
  // What leaves makes room again.
  await down.restart()
  await lab.until(() => gateway.held() === 0)
  await down.stop()
  assert.equal(await send('127.77.1.1'), '250 2.0.0')
})

test('a message of unsaid length does not fit for a domain that is down: when it comes again, the other domain gets it', async (t) => {
  const lab = await startLab(t)
  const [down, up] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const gateway = await lab.gateway({
    holdBytes: 40_000,
    domains: { 'down.test': { deliver: [down], hold: {} }, 'up.test': { deliver: [up], hold: {} } },
  })
  const to = ['you@down.test', 'you@up.test']
  const body = 'x'.repeat(70).concat('\n').repeat(400)
  // There is room for a shorter one, so it may come as far as its dot once.
  const first = await lab.send({ to, body })
  assert.deepEqual([first.step, first.code], ['dot', 452])
  const second = await lab.send({ to, body })
  assert.deepEqual([second.code, ...second.recipients.map(({ code }) => code)], [250, 452, 250])
  assert.equal(up.messages.length, 1)
  // Who says a length is believed.
  assert.equal((await lab.send({ to: 'you@down.test', body: 'short', mailParameters: 'SIZE=200' })).code, 250)
  assert.equal(gateway.held(), 1)
})

test('a sender does not say how long its message is, and it is longer than the room: the second route comes in another transaction', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({
    holdBytes: 40_000,
    domains: { 'one.test': { deliver: [one], hold: {} }, 'other.test': { deliver: [other], hold: {} } },
  })
  const body = 'x'.repeat(70).concat('\n').repeat(400)
  const to = ['you@one.test', 'you@other.test']
  for (const mailParameters of ['', 'SIZE=0', 'SIZE=29000']) {
    const sent = await lab.send({ to, body, mailParameters })
    assert.equal(sent.code, 250, sent.text)
    assert.deepEqual(
      sent.recipients.map(({ code, enhanced }) => `${code} ${enhanced}`),
      ['250 2.1.5', '452 4.5.3'],
    )
  }
  const said = await lab.send({ to, body: 'short', mailParameters: 'SIZE=200' })
  assert.deepEqual([said.code, ...said.recipients.map(({ code }) => code)], [250, 250, 250])
  assert.deepEqual([one.messages.length, other.messages.length, gateway.held()], [4, 1, 0])
})

test('the disk is full: what fits in memory is cut through, nothing is held, and it is again when there is room', async (t) => {
  const disk = mountSmallDisk(t, 24)
  if (!disk) return t.diagnostic('not tested: no file system may be mounted here')
  const lab = await startLab(t)
  const [down, up] = [await lab.backend({ connect: 'refuse' }), await lab.backend()]
  const running = await lab.process({
    config: {
      state: join(disk.folder, 'state'),
      limits: { freeSpace: '0' },
      domains: { 'down.test': { deliver: [down] }, 'up.test': { deliver: [up] } },
    },
  })
  assert.equal((await lab.send({ to: 'you@down.test', body: 'before' })).code, 250)

  const ballast = join(disk.folder, 'ballast')
  for (let mebibytes = 24; mebibytes > 0; mebibytes /= 2)
    await writeFile(`${ballast}${mebibytes}`, Buffer.alloc(mebibytes * 1024 * 1024, 120)).catch(() => undefined)
  const large = 'x'.repeat(70).concat('\n').repeat(8_000)
  const held = await lab.send({ to: 'you@down.test', body: 'no room' })
  assert.deepEqual([held.code, held.enhanced], [452, '4.3.1'], held.text)
  assert.equal((await lab.send({ to: 'you@up.test', body: 'small' })).code, 250)
  assert.equal(up.messages.length, 1)
  const spooled = await lab.send({ to: 'you@up.test', body: large })
  assert.ok(spooled.code === 451 || spooled.code === 452, spooled.text)
  assert.equal((await lab.send({ to: 'you@up.test', body: 'small again' })).code, 250)
  assert.equal(up.messages.length, 2)

  for (let mebibytes = 24; mebibytes > 0; mebibytes /= 2) await rm(`${ballast}${mebibytes}`, { force: true })
  await lab.until(async () => (await lab.send({ to: 'me@down.test', body: 'after' })).code === 250)
  assert.equal((await lab.send({ to: 'you@up.test', body: large })).code, 250)
  await down.restart()
  await lab.until(() => down.messages.length >= 2)
  assert.match(String(down.messages[0]?.content), /before/)
  assert.ok(running.pid > 0)
})
