/**
 * What is known of recipients, on the embedded store: fulfils `../known-recipients.ts`. `learning` gathers what is told and writes it, `told-lately` spares
 * what was told a short while ago, `recipient-keys` and `nameless-reply` name nobody.
 */

import type { Clock } from '../../base/clock.ts'
import { networkKey } from '../../base/ip.ts'
import { createRateCounter } from '../../base/limits.ts'
import type { Random } from '../../base/random.ts'
import type { Recipient } from '../../mail/message.ts'
import { StoreFailure } from '../../store/failure.ts'
import type { Store } from '../../store/store.ts'
import type { KnownRecipients } from '../known-recipients.ts'
import { type KnownKind, type KnownLimits, type KnownOperations, kinds } from './known-tables.ts'
import { createLearning } from './learning.ts'
import { withName, withoutName } from './nameless-reply.ts'
import { openRecipientKeys } from './recipient-keys.ts'
import { ToldLately } from './told-lately.ts'

/** For `openStore`. */
export const knownModule = new URL(`./known-tables${import.meta.url.slice(-3)}`, import.meta.url)

export interface KnownDeps {
  readonly clock: Clock
  readonly random: Random
  /** Of numbers; for tests. */
  readonly limits?: KnownLimits
}

const dayMs = 86_400_000
const goodMs = 31 * dayMs
const badMs = 3 * dayMs
const standardLimits: KnownLimits = {
  [kinds.delivered]: { ofDomain: 10_000, inAll: 1_000_000 },
  [kinds.accepted]: { ofDomain: 1_000, inAll: 100_000 },
  [kinds.refused]: { ofDomain: 10_000, inAll: 100_000 },
}
/** Recipients that one network teaches within an hour without a message for them. */
const mostAcceptedOfNetwork = 100

/** Throws a `StoreFailure` where the secret can be neither read nor made. */
export async function openKnownRecipients(
  store: Store,
  deps: KnownDeps,
): Promise<KnownRecipients & { close(): Promise<void> }> {
  const { clock, limits = standardLimits } = deps
  const room = store.room<KnownOperations>('known')
  const keys = await openRecipientKeys(store.folder, deps.random)
  const lately = new ToldLately(clock)
  const acceptedOfNetwork = createRateCounter(clock, 3_600_000, 10_000)
  const learning = createLearning({
    ...{ clock, store, room, limits, goodMs, badMs },
    // What has made room for others can be learnt again.
    trimmed: (key) => lately.forget(key),
  })

  /**
   * Whether it was taken: what does not fit is told again by the next message.
   * @param name  what it is called in `lately`
   */
  function tell(
    name: string,
    key: Buffer,
    recipient: Recipient,
    kind: KnownKind,
    code: number | null = null,
    text: string | null = null,
  ): boolean {
    if (learning.isFull) return false
    const keyText = key.toString('latin1')
    lately.note(name, keyText, kind)
    learning.add(keyText, [key, keys.domain(recipient), kind, clock.now(), code, text])
    return true
  }

  async function find(key: Buffer, forMs: number): Promise<{ code: number | null; text: string | null } | undefined> {
    const told = learning.find(key.toString('latin1'))
    if (told) return { code: told[4], text: told[5] }
    const found = await room.read('find', key)
    return found && clock.now() - found.toldMs < forMs ? found : undefined
  }

  return {
    delivered(recipient) {
      const name = recipient.text
      if (!lately.has(name, kinds.delivered)) tell(name, keys.good(recipient), recipient, kinds.delivered)
    },
    accepted(recipient, client) {
      const name = recipient.text
      if (lately.has(name, kinds.accepted)) return
      const network = networkKey(client)
      if (acceptedOfNetwork.recent(network) >= mostAcceptedOfNetwork) return
      if (tell(name, keys.good(recipient), recipient, kinds.accepted)) acceptedOfNetwork.count(network)
    },
    refused(recipient, lane, { code, text }) {
      const name = `${lane}\0${recipient.text}`
      if (lately.has(name, kinds.refused)) return
      tell(name, keys.bad(recipient, lane), recipient, kinds.refused, code, withoutName(text, recipient))
    },
    async ask(recipient, lane) {
      if (await find(keys.good(recipient), goodMs)) return { kind: 'accepted' }
      const bad = await find(keys.bad(recipient, lane), badMs)
      if (bad?.code == null) return { kind: 'unknown' }
      return { kind: 'refused', code: bad.code, text: withName(bad.text ?? '', recipient) }
    },
    flush: learning.flush,
    async close() {
      learning.end()
      await learning.flush().catch((error: unknown) => {
        if (!(error instanceof StoreFailure)) throw error
      })
      // A flush that failed has set the clock for another one.
      learning.end()
    },
  }
}
