/**
 * Messages whose 250 could not be handed over, because their sender was gone by then: it will come again with what has been delivered
 * already (RFC 1047 tells of the gap). `message-sink` remembers them and asks at each dot. One a process.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { ReversePath } from '../../mail/address.ts'
import type { Body } from '../../mail/message.ts'

export interface RepeatMemory {
  /** Notes a message that was delivered and whose sender did not hear it. */
  remember(envelope: string, content: string): void
  /** Whether anything with this envelope is remembered: only then is a content worth its hash. */
  knows(envelope: string): boolean
  /** Whether this very message is remembered; it answers once. */
  take(envelope: string, content: string): boolean
  /** Messages that are remembered. */
  readonly size: number
}

const rememberedMs = 24 * 60 * 60_000
const mostRemembered = 10_000

export function createRepeatMemory(clock: Clock): RepeatMemory {
  /** When each was delivered, by envelope and content; the oldest stand first. */
  const delivered = new Map<string, number>()
  const byEnvelope = new Map<string, number>()

  function forget(key: string): void {
    delivered.delete(key)
    const envelope = key.slice(0, key.indexOf(' '))
    const left = (byEnvelope.get(envelope) ?? 0) - 1
    if (left > 0) byEnvelope.set(envelope, left)
    else byEnvelope.delete(envelope)
  }

  function forgetOld(): void {
    const sinceMs = clock.monotonicMs() - rememberedMs
    for (const [key, atMs] of delivered) {
      if (atMs >= sinceMs && delivered.size <= mostRemembered) break
      forget(key)
    }
  }

  return {
    remember(envelope, content) {
      const key = `${envelope} ${content}`
      if (delivered.has(key)) forget(key)
      delivered.set(key, clock.monotonicMs())
      byEnvelope.set(envelope, (byEnvelope.get(envelope) ?? 0) + 1)
      forgetOld()
    },
    knows(envelope) {
      forgetOld()
      return byEnvelope.has(envelope)
    },
    take(envelope, content) {
      const key = `${envelope} ${content}`
      if (!delivered.has(key)) return false
      forget(key)
      return true
    },
    get size() {
      return delivered.size
    },
  }
}

/** @param recipients  canonical addresses, in any order */
export function envelopeHash(sender: ReversePath, recipients: Iterable<string>): string {
  const hash = createHash('sha256').update(`${sender?.text ?? ''}\n`)
  for (const recipient of [...recipients].sort()) hash.update(`${recipient}\n`)
  return hash.digest('base64')
}

export async function contentHash(body: Body): Promise<string> {
  const hash = createHash('sha256')
  for await (const block of body.blocks()) hash.update(block)
  return hash.digest('base64')
}
