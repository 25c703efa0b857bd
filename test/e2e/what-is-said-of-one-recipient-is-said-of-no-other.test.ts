import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFastClock } from '../lab/fast-clock.ts'
import { startLab } from '../lab/lab.ts'

const unknownA = (to: string) => (to.startsWith('a@') ? `550 5.1.1 <${to}> unknown here` : undefined)

for (const [what, hold, heard] of [
  ['with a hold', {}, 250],
  ['without one', undefined, 451],
] as const) {
  test(`the backend that accepted A dies, and the next does not know A: B is not refused for it (${what})`, async (t) => {
    const lab = await startLab(t)
    const first = await lab.backend()
    const second = await lab.backend({ rcpt: unknownA })
    await lab.gateway({ deliver: [first, { to: second, preference: 20 }], ...(hold ? { hold } : {}) })
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<s@sender.test>', 250)
    await sender.command('RCPT TO:<a@example.test>', 250)
    await first.kill()
    const b = await sender.command('RCPT TO:<b@example.test>', heard)
    assert.doesNotMatch(b.text, /a@example/)
    await sender.command('DATA', 354)
    // A's own word is A's still, where the sender can hear it.
    await sender.command('Subject: x\r\n\r\nx\r\n.', hold ? 250 : 550)
    if (hold) await lab.until(() => second.messages.some(({ to }) => to.includes('b@example.test')))
  })

  test(`the one backend learns that A has gone, behind its yes: B is not refused for it (${what})`, async (t) => {
    const lab = await startLab(t)
    let hasGone = false
    const backend = await lab.backend({ rcpt: (to: string) => (hasGone ? unknownA(to) : undefined) })
    await lab.gateway({ deliver: backend, ...(hold ? { hold } : {}) })
    const sender = await lab.connect()
    await sender.hello()
    await sender.command('MAIL FROM:<s@sender.test>', 250)
    await sender.command('RCPT TO:<a@example.test>', 250)
    hasGone = true
    // The session is given back, and A said again on the next one.
    await lab.until(() => backend.commands.includes('RSET'))
    const b = await sender.command('RCPT TO:<b@example.test>', heard)
    assert.doesNotMatch(b.text, /a@example/)
  })
}

test('held for seven: those who were accepted and then refused are refused in their own words, the others are asked for', async (t) => {
  const lab = await startLab(t)
  const isEarly = (to: string) => /^r[1-5]@/.test(to)
  let isBusy = true
  const mail = () => (isBusy ? '451 4.3.0 not now' : undefined)
  const first = await lab.backend({
    mail,
    rcpt: (to: string) => {
      if (isEarly(to)) return undefined
      void first.kill()
      return 'reset'
    },
  })
  const second = await lab.backend({
    mail,
    rcpt: (to: string) => (isEarly(to) ? `552 5.2.2 <${to}> is over quota` : undefined),
  })
  const gateway = await lab.gateway(
    { deliver: [first, { to: second, preference: 20 }], hold: {} },
    { clock: createFastClock(10) },
  )
  const all = [1, 2, 3, 4, 5, 6, 7].map((n) => `r${n}@example.test`)
  assert.equal((await lab.send({ to: all })).code, 250)
  isBusy = false
  const delivered = () => second.messages.flatMap(({ to }) => to)
  await lab.until(() => delivered().length === 2)
  assert.deepEqual(delivered().sort(), all.slice(5))
  const refused = () => gateway.find('refused after hold')
  await lab.until(() => refused().flatMap(({ fields }) => fields.to).length >= 5)
  for (const { fields } of refused())
    assert.match(String(fields.reply), new RegExp(`552 5\\.2\\.2 <${String(fields.to)}>`))
})
