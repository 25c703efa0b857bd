import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { heldId, heldMessage } from '../../../test/unit/held-message.ts'
import { silentLog } from '../../base/log.ts'
import type { SenderProof, Settlement } from '../../queue/queue.ts'
import { createHeldProofs } from './held-proofs.ts'

const turns = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function world(says: readonly SenderProof[]) {
  const clock = createFakeClock()
  const settled: Settlement[] = []
  let asked = 0
  const proofs = createHeldProofs({
    clock,
    log: silentLog,
    queue: { settle: async (settlement) => void settled.push(settlement) },
    proofs: { known: () => undefined, prove: async () => says[Math.min(asked++, says.length - 1)] as SenderProof },
  })
  return { clock, settled, proofs, asked: () => asked }
}

const undecided: SenderProof = { kind: 'undecided' }
const proven: SenderProof = { kind: 'proven', by: 'spf' }
const message = (number: number) => ({ ...heldMessage({ id: heldId(number) }), proof: undecided })

test('what is found out is written down with the message; what is known already is not asked', async () => {
  const { settled, proofs, asked } = world([proven])
  proofs.held(message(1))
  proofs.held({ ...message(2), proof: proven })
  await turns()
  assert.deepEqual(settled, [{ id: heldId(1), recipients: [], proof: proven }])
  assert.equal(asked(), 1)
})

test('DNS says nothing: it is asked again after 1, 5 and 20 minutes, and no more once it has', async () => {
  const { clock, settled, proofs, asked } = world([undecided, undecided, undecided, proven])
  proofs.held(message(1))
  await turns()
  for (const [minutes, times] of [
    [0.9, 1],
    [0.2, 2],
    [4.8, 2],
    [0.3, 3],
    [20.1, 4],
    [300, 4],
  ] as const) {
    clock.advance(minutes * 60_000)
    await turns()
    // A deadline sleeps ten seconds at a time at most.
    for (let sleeps = 0; sleeps < 3; sleeps++) {
      clock.advance(1)
      await turns()
    }
    assert.equal(asked(), times, `${minutes} minutes later`)
  }
  assert.equal(settled.length, 1)
})

test('a stop ends it', async () => {
  const { clock, settled, proofs, asked } = world([undecided, proven])
  proofs.held(message(1))
  await turns()
  proofs.stop()
  clock.advance(3_600_000)
  await turns()
  assert.deepEqual([asked(), settled.length], [1, 0])
})
