import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import { type Lab, startLab } from '../lab/lab.ts'

// Weights are shares of messages; and whatever was answered 250 arrives once, also when a backend is killed.
const subjectOf = (content: Buffer) => /^Subject: (\S+)/m.exec(content.toString('latin1'))?.[1] ?? ''

/** Sends so many messages over a few connections, each with a subject of its own. @returns the code that each was answered with */
async function sendMany(lab: Lab, count: number, onSent: (sent: number) => void = () => {}) {
  const answers = new Map<string, number>()
  let next = 0
  const connections = Array.from({ length: 10 }, async () => {
    const sender = await lab.connect()
    await sender.hello()
    while (next < count) {
      const subject = `m${next++}`
      await sender.write('MAIL FROM:<a@sender.test>\r\nRCPT TO:<you@example.test>\r\nDATA\r\n')
      await sender.expect(250)
      const recipient = await sender.reply()
      const data = await sender.reply()
      if (data.code === 354) await sender.write(`Subject: ${subject}\r\n\r\nx\r\n.\r\n`)
      answers.set(subject, data.code === 354 ? (await sender.reply()).code : recipient.code)
      if (data.code !== 354) await sender.command('RSET', 250)
      onSent(answers.size)
    }
    await sender.quit()
  })
  await Promise.all(connections)
  return answers
}

const arrived = (backends: readonly FakeBackend[]) =>
  backends.flatMap((backend) => backend.accepted.map(({ content }) => subjectOf(content)))

test('weights 2:1 over 3,000 messages: 2,000 and 1,000, give or take 2', async (t) => {
  const lab = await startLab(t)
  const [heavy, light] = [await lab.backend(), await lab.backend()]
  await lab.gateway({ deliver: [{ to: heavy, weight: 2 }, light] })
  const answers = await sendMany(lab, 3_000)
  assert.ok([...answers.values()].every((code) => code === 250))
  assert.ok(Math.abs(heavy.messages.length - 2_000) <= 2, String(heavy.messages.length))
  assert.equal(heavy.messages.length + light.messages.length, 3_000)
  assert.equal(new Set(arrived([heavy, light])).size, 3_000)
})

test('one of two is killed in the middle of 3,000: what was answered 250 arrived once, and errors are its dots alone', async (t) => {
  const lab = await startLab(t)
  const [heavy, light] = [await lab.backend(), await lab.backend()]
  const gateway = await lab.gateway({ deliver: [{ to: heavy, weight: 2 }, light] })
  let killing: Promise<void> | undefined
  const answers = await sendMany(lab, 3_000, (sent) => {
    if (sent === 1_000) killing = heavy.kill()
  })
  await killing
  const copies = new Map<string, number>()
  for (const subject of arrived([heavy, light])) copies.set(subject, (copies.get(subject) ?? 0) + 1)
  for (const [subject, code] of answers) if (code === 250) assert.equal(copies.get(subject), 1, subject)

  const unknown = gateway.find('outcome unknown')
  const failed = [...answers.values()].filter((code) => code !== 250)
  assert.equal(answers.size, 3_000)
  assert.equal(failed.length, unknown.length, `${failed.join()} for ${unknown.length} dots`)
  assert.ok(unknown.every(({ fields }) => fields.backend === heavy.url))
  assert.ok(light.messages.length >= 2_000 - heavy.messages.length)
})

test('bodies that are slower than a session waits: they are shared like any others', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend(), await lab.backend()]
  await lab.gateway({ deliver: [one, other], budgets: { sessionIdleInTransactionMs: 30 } })
  const resets = () => [one, other].flatMap(({ commands }) => commands.filter((line) => line === 'RSET')).length
  for (let number = 1; number <= 8; number++) {
    const slow = await lab.connect()
    await slow.hello()
    await slow.untilData('a@sender.test', 'you@example.test')
    await lab.until(() => resets() === number)
    await slow.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await slow.expect(250)
    await slow.quit()
  }
  assert.deepEqual([one.messages.length, other.messages.length], [4, 4])
})
