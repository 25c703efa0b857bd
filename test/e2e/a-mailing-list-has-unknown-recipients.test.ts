/** A list of a thousand, a few of whom are gone: it is no guessing, so everybody else gets the message and nobody is put off. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

/** Subscribers, of whom so many in equal distances are gone. */
const list = (subscribers: number, gone: number, of = '') =>
  Array.from({ length: subscribers }, (_, number) => {
    const isGone = number % Math.floor(subscribers / gone) === 0 && number < gone * Math.floor(subscribers / gone)
    return `${isGone ? 'gone' : 'reader'}${of}.${number}@example.test`
  })

const expected = (to: readonly string[]) => to.map((address) => (address.startsWith('gone') ? 550 : 250))

for (const [how, connections, gone] of [
  ['in one transaction', 1, 9],
  ['over twenty connections at once', 20, 1],
] as const)
  test(`a thousand recipients ${how}: those who are gone are refused, and all others get the message`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend({
      rcpt: (address) => (address.startsWith('gone') ? '550 5.1.1 No such user' : undefined),
    })
    await lab.gateway({ deliver: backend })
    const parts = Array.from({ length: connections }, (_, number) => list(1_000 / connections, gone, String(number)))
    const sent = await Promise.all(parts.map((to) => lab.send({ to, pipelined: true, source: '127.60.0.1' })))
    for (const [at, { code, recipients }] of sent.entries()) {
      assert.equal(code, 250)
      assert.deepEqual(
        recipients.map((heard) => heard.code),
        expected(parts[at] ?? []),
      )
    }
    const delivered = backend.messages.flatMap(({ to }) => to)
    assert.deepEqual(
      delivered.sort(),
      parts
        .flat()
        .filter((address) => address.startsWith('reader'))
        .sort(),
    )
    // The client is none that guesses.
    assert.equal((await lab.send({ to: 'reader@example.test', source: '127.60.0.1' })).code, 250)
  })
