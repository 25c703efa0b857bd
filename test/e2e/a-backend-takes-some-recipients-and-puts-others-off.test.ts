/**
 * A backend accepts some recipients of a message and puts others off. What a sender hears of each is what happens to it: a recipient to whom we said
 * yes gets the message once, from the backend now or from the hold, and the answer to the dot is nobody's who was not accepted on that session.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

interface Case {
  readonly rcpt: Readonly<Record<string, string>>
  readonly protocol?: 'smtp' | 'lmtp'
  readonly onDefer?: 'hold' | 'pass'
  readonly pipelined?: boolean
  /** Whom the sender asks for, in order, and the code that it hears of each. */
  readonly heard: Readonly<Record<string, number>>
}

/** Sends to all of them, lets the backend accept everybody, and looks who got it, and how often. */
async function deliveredTo(t: TestContext, { rcpt, protocol = 'smtp', onDefer, pipelined, heard }: Case) {
  const lab = await startLab(t)
  let isOver = false
  const backend = await lab.backend({ protocol, rcpt: (address) => (isOver ? undefined : rcpt[address]) })
  const domain = { deliver: [backend], hold: {}, ...(onDefer && { onDefer }) }
  const gateway = await lab.gateway({ domains: { 'example.test': domain } }, { clock: createFastClock(50) })
  const sender = await lab.connect()
  await sender.hello()
  await sender.write('MAIL FROM:<joe@sender.test>\r\n')
  await sender.expect(250)
  const asked = Object.entries(heard)
  if (pipelined) await sender.write(asked.map(([address]) => `RCPT TO:<${address}>\r\n`).join(''))
  for (const [address, code] of asked) {
    if (!pipelined) await sender.write(`RCPT TO:<${address}>\r\n`)
    await sender.expect(code)
  }
  await sender.write('DATA\r\n')
  await sender.expect(354)
  await sender.write('Subject: for several\r\n\r\n.\r\n')
  await sender.expect(250)
  isOver = true
  const promised = asked.flatMap(([address, code]) => (code === 250 ? [address] : []))
  const got = () => backend.accepted.flatMap(({ to }) => to).toSorted()
  await lab.until(() => gateway.held() === 0 && got().length >= promised.length)
  assert.deepEqual(got(), promised.toSorted(), gateway.text())
}

const [u, v, w] = ['u@example.test', 'v@example.test', 'w@example.test'] as const

for (const pipelined of [false, true]) {
  const how = pipelined ? 'in one go' : 'one after the other'
  for (const said of ['451 4.3.0 later', '452 4.3.1 full', '451 4.4.5 congested'])
    test(`accepted, then ${said}, ${how}: the second one's sender hears so, and comes again`, (t) =>
      deliveredTo(t, { rcpt: { [v]: said }, pipelined, heard: { [u]: 250, [v]: Number(said.slice(0, 3)) } }))

  test(`LMTP, the second of three put off, ${how}: the two others get it once each`, (t) =>
    deliveredTo(t, {
      protocol: 'lmtp',
      rcpt: { [v]: '451 4.3.0 later' },
      pipelined,
      heard: { [u]: 250, [v]: 451, [w]: 250 },
    }))

  for (const [name, rcpt] of [
    ['the first', { [u]: '451 4.7.1 greylisted' }],
    ['the second', { [v]: '451 4.7.1 greylisted' }],
  ] as const)
    test(`onDefer hold, ${name} of two greylisted, ${how}: both get it once`, (t) =>
      deliveredTo(t, { onDefer: 'hold', rcpt, pipelined, heard: { [u]: 250, [v]: 250 } }))

  test(`onDefer hold, the only one greylisted, ${how}: it is held`, (t) =>
    deliveredTo(t, { onDefer: 'hold', rcpt: { [u]: '451 4.7.1 greylisted' }, pipelined, heard: { [u]: 250 } }))
}

for (const protocol of ['smtp', 'lmtp'] as const) {
  test(`${protocol}, put off, then accepted: both are held, and get it once`, (t) =>
    deliveredTo(t, { protocol, rcpt: { [u]: '451 4.3.0 later' }, heard: { [u]: 250, [v]: 250 } }))

  // Held unasked it would be refused when its sender is gone.
  for (const said of ['550 5.1.1 no such user', '450 4.2.0 greylisted'])
    test(`${protocol}, put off, then ${said}, then accepted: the second one's sender hears so, the others get it once`, (t) =>
      deliveredTo(t, {
        ...{ protocol, rcpt: { [u]: '451 4.3.0 later', [v]: said } },
        heard: { [u]: 250, [v]: Number(said.slice(0, 3)), [w]: 250 },
      }))
}
