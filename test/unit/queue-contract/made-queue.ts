/** What the cases of the contract are made of: an engine with its clock, and what many of them do with it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Body } from '../../../src/mail/message.ts'
import type { Attempt, HeldEntry, Queue, Settled, Task } from '../../../src/queue/queue.ts'
import type { HoldLimits } from '../../../src/queue/quota.ts'
import type { FakeClock } from '../../lab/fake-clock.ts'
import { startMs } from '../held-message.ts'

export interface MadeQueue {
  readonly queue: Queue
  readonly clock: FakeClock
  /** What was told to be corrupt, and what was dropped. */
  readonly corrupt: readonly string[]
  readonly dropped: readonly HeldEntry[]
  /** Closes it and opens it again on what is stored. */
  reopen(): Promise<MadeQueue>
}

export type MakeQueue = (t: TestContext, limits?: Partial<HoldLimits>) => Promise<MadeQueue>

/** What an engine must do, by what it is called. */
export type Cases = Readonly<Record<string, (t: TestContext, make: MakeQueue) => Promise<void>>>

export const none: ReadonlySet<string> = new Set()
export const day = 86_400_000

export async function contentOf(queue: Queue, id: string): Promise<Buffer> {
  const opened = await queue.body(id)
  assert.equal(opened.kind, 'opened')
  if (opened.kind !== 'opened') throw new Error('unreachable')
  try {
    return await bytesOf(opened.body)
  } finally {
    opened.body.release()
  }
}

export async function bytesOf(body: Body): Promise<Buffer> {
  const blocks: Buffer[] = []
  for await (const block of body.blocks()) blocks.push(block)
  return Buffer.concat(blocks)
}

export async function settleAll(queue: Queue, id: string, to: Settled, tried?: Attempt): Promise<void> {
  const entry = await queue.get(id)
  const recipients = entry?.recipients.map(({ index }) => ({ index, to })) ?? []
  await queue.settle({ id, recipients, ...(tried && { attempt: tried }) })
}

export const attempt = (outcome: Attempt['outcome']): Attempt => ({
  atMs: startMs,
  backend: 'smtp://b.example',
  outcome,
  text: '451 4.2.0 later',
  recipients: 1,
})

export const brief = ({ message, recipients }: Task) => [message.id, recipients.map(({ recipient }) => recipient.text)]
