import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { heldId, heldMessage, lane, mailbox } from '../../../test/unit/held-message.ts'
import type { HeldRecipient, Queue } from '../../queue/queue.ts'
import { lateWatchMs } from '../settle/may-have-it.ts'
import { envelopeOf, heldEnvelope, messageOf } from './held-envelope.ts'
import { createQueueTransfer } from './queue-transfer.ts'

test('what a backend may still answer for is not copied either: elsewhere it would be delivered again', async () => {
  const clock = createFakeClock()
  const message = heldMessage({ id: heldId(1), receivedMs: clock.now() })
  const queue = {
    get: async () => ({
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: message.recipients.map((held, index) => ({ ...held, index, state: 'unknown', attempts: 0 })),
      attempts: [],
    }),
  } as unknown as Queue
  const transfer = createQueueTransfer({ queue, clock, log: collectLog().log, ways: undefined, running: undefined })
  assert.deepEqual(await transfer.pack(message.id), {
    kind: 'left',
    why: 'its backend may have it, and may still answer',
  })
  clock.advance(lateWatchMs)
  assert.equal((await transfer.pack(message.id)).kind, 'packed')
})

test('an envelope whose id or place somebody else has in the hold is not taken in, and said so', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-transfer-'))
  t.after(() => rm(folder, { recursive: true }))
  const clock = createFakeClock()
  const message = heldMessage({ id: heldId(1), to: { 'a@one.test': {}, 'b@two.test': {} } })
  const held = (change: object, texts: readonly string[]) => ({
    message: { ...message, size: message.body.size, has8bit: false, ...change },
    recipients: texts.map((text, index) => ({
      index,
      recipient: mailbox(text),
      lane: 'main',
      state: 'ready',
      wasKnown: false,
      attempts: 0,
    })),
    attempts: [],
  })
  let entry = held({}, ['a@one.test', 'b@two.test']) as unknown
  const queue = { get: async () => entry, hold: assert.fail, add: assert.fail, settle: assert.fail } as unknown as Queue
  const transfer = createQueueTransfer({ queue, clock, log: collectLog().log, ways: undefined, running: undefined })
  const packed = await transfer.pack(message.id)
  assert.equal(packed.kind, 'packed')
  await writeFile(join(folder, 'x.json'), JSON.stringify(packed.kind === 'packed' && packed.envelope))
  const from = { folder, id: message.id, envelopeFile: 'x.json', takesOwnMail: false }
  const compared = () => transfer.compare(from)

  assert.deepEqual(await compared(), { kind: 'compared', missing: [], there: [0, 1] })
  entry = held({}, ['a@one.test'])
  assert.deepEqual(await compared(), { kind: 'compared', missing: [1], there: [0] })
  entry = undefined
  assert.deepEqual(await compared(), { kind: 'compared', missing: [0, 1], there: [] })
  // What we cannot cope with is this message's own, and no end of the import.
  const { log, lines } = collectLog()
  const broken = { get: () => Promise.reject(new RangeError('of our own')) } as unknown as Queue
  const coping = createQueueTransfer({ queue: broken, clock, log, ways: undefined, running: undefined })
  for (const step of [coping.compare, coping.bringIn, coping.letGo]) {
    const wrong = { kind: 'wrong', why: 'we met an error of our own: RangeError: of our own' }
    assert.deepEqual(await step(from), wrong)
  }
  assert.equal(lines.filter(({ level }) => level === 'error').length, 3)
  for (const other of [held({ size: 1 }, []), held({ receivedMs: 1 }, []), held({}, ['a@one.test', 'c@two.test'])]) {
    entry = other
    assert.equal((await compared()).kind, 'wrong')
    assert.equal((await transfer.bringIn(from)).kind, 'wrong')
    // The name of the file says that it was compared; who wrote the folder wrote that too.
    assert.equal((await transfer.letGo(from)).kind, 'wrong')
  }
})

test('what calls itself a notice of our own is taken at its word with leave alone, and never with a sender', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-transfer-'))
  t.after(() => rm(folder, { recursive: true }))
  const clock = createFakeClock()
  /** Each step, with `--own-mail` and without. */
  const steps = async (sender: string | null) => {
    const message = heldMessage({ id: heldId(1), sender, to: { 'joe@partner.test': {} } })
    const entry = {
      message: { ...message, size: message.body.size, has8bit: false },
      recipients: message.recipients.map((held, index) => ({
        ...{ ...held, index, attempts: 0 },
        lane: lane('outbound partner.test'),
      })),
      attempts: [],
    }
    let settled = 0
    const queue = { get: async () => entry, settle: async () => void settled++ } as unknown as Queue
    const transfer = createQueueTransfer({ queue, clock, log: collectLog().log, ways: undefined, running: undefined })
    const packed = await transfer.pack(message.id)
    await writeFile(join(folder, 'x.json'), JSON.stringify(packed.kind === 'packed' && packed.envelope))
    const kinds = []
    for (const takesOwnMail of [true, false])
      for (const step of [transfer.compare, transfer.bringIn, transfer.letGo])
        kinds.push((await step({ folder, id: message.id, envelopeFile: 'x.json', takesOwnMail })).kind)
    return [...kinds, settled]
  }
  const refused = ['wrong', 'wrong', 'wrong'] as const
  assert.deepEqual(await steps(null), ['compared', 'there', 'done', ...refused, 1])
  assert.deepEqual(await steps('anybody@sender.test'), [...refused, ...refused, 0])
})

test('the end that a recipient has of its own comes along, and a file of earlier versions has none', () => {
  const message = heldMessage({ id: heldId(1), to: { 'a@one.test': {}, 'b@two.test': {} } })
  const held = message.recipients.map(
    (each, index) => ({ ...each, index, attempts: 0, ...(index === 0 ? { expiresMs: 5 } : {}) }) as HeldRecipient,
  )
  const written = envelopeOf(
    { message: { ...message, size: message.body.size, has8bit: false }, attempts: [] },
    held,
    true,
  )
  const ends = (envelope: unknown) =>
    messageOf(heldEnvelope.parse(envelope), message, () => lane('main')).recipients.map(({ expiresMs }) => expiresMs)
  const read = JSON.parse(JSON.stringify(written))
  assert.deepEqual(ends(read), [5, undefined])
  for (const each of read.recipients) delete each.expiresMs
  assert.deepEqual(ends(read), [undefined, undefined])
})
