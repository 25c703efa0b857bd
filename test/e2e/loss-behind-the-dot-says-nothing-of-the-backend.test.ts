import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// Loss or silence behind the dot counts against the message, not the backend
for (const [what, words] of [
  ['is silent', { afterDot: 'silence' }],
  ['closes', { afterDot: 'close' }],
  ['resets', { afterDot: 'reset' }],
  ['answers with garbage', { afterDot: 'garbage' }],
] as const) {
  test(`a backend that ${what} behind the dot, four times in a row, is up and gets the next message`, async (t) => {
    const lab = await startLab(t)
    const main = await lab.backend(words)
    const spare = await lab.backend()
    const gateway = await lab.gateway({
      deliver: [main, { to: spare, preference: 20 }],
      budgets: { dotMs: 400, bodyReserveMs: 100 },
    })
    const report = () => gateway.backends().find(({ url }) => url === main.url)
    for (let message = 1; message <= 4; message++) {
      assert.equal((await lab.send({ to: 'you@example.test' })).code, 451)
      assert.deepEqual([report()?.state, report()?.lastError], ['up', null])
    }
    assert.equal(main.messages.length, 4)
    assert.equal(gateway.find('backend state').length, 0)

    main.change({ afterDot: undefined })
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    assert.equal(main.accepted.length, 1)
    assert.equal(spare.sessions.length, 0)
  })
}
