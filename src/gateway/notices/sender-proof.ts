/**
 * Whether the sender of a message is who MAIL FROM says: only to such a one a notification may be sent, because the address of any other may be
 * somebody's who has nothing to do with it. SPF says so (`spf`), and so does mail from `trusted:` networks. Asked behind our 250 by
 * `held-proofs` and, where nothing was found out by then, by `notices`.
 */
import { BoundedMap } from '../../base/bounded-map.ts'
import type { Clock } from '../../base/clock.ts'
import type { IpAddress } from '../../base/ip.ts'
import { createSlots } from '../../base/slots.ts'
import type { ReversePath } from '../../mail/address.ts'
import type { Client } from '../../mail/message.ts'
import type { SenderProof } from '../../queue/queue.ts'
import { askSpf, type SpfDeps } from './spf.ts'

export interface SenderProofs {
  /** What can be said without asking anybody; undefined where DNS must be asked. */
  known(client: Client, sender: ReversePath): SenderProof | undefined
  /** Asks where it must. Never rejects; `undecided` where DNS does not answer, or too many ask at once. */
  prove(client: Client, sender: ReversePath): Promise<SenderProof>
}

export interface SenderProofDeps extends SpfDeps {
  readonly clock: Clock
  /** Whether the mail of this client is believed (`trusted:`). */
  readonly isTrusted: (address: IpAddress) => boolean
}

const atOnce = 16
const mostWaiting = 1_000
const cachedMs = 10 * 60_000
const mostCached = 10_000

export function createSenderProofs(deps: SenderProofDeps): SenderProofs {
  const { clock, isTrusted } = deps
  const cache = new BoundedMap<string, { readonly proof: SenderProof; readonly untilMs: number }>(mostCached)
  const asking = new Map<string, Promise<SenderProof>>()
  const slots = createSlots(atOnce)

  function known(client: Client, sender: ReversePath): SenderProof | undefined {
    if (sender === null) return notProven('it is from nobody')
    if (isTrusted(client.address)) return { kind: 'proven', by: 'trusted' }
    if (sender.domain === undefined) return notProven('its address has no domain')
    return cached(domainKey(client, sender.domain)) ?? cached(addressKey(client, sender.text))
  }

  function cached(key: string): SenderProof | undefined {
    const found = cache.get(key)
    return found && clock.monotonicMs() < found.untilMs ? found.proof : undefined
  }

  async function ask(client: Client, sender: NonNullable<ReversePath>): Promise<SenderProof> {
    await slots.take()
    try {
      const answer = await askSpf(sender, client, deps)
      if (answer.kind === 'unanswered') return undecided
      const proof: SenderProof =
        answer.kind === 'pass'
          ? { kind: 'proven', by: 'spf' }
          : notProven(answer.kind === 'broad' ? 'SPF passes by a term for nearly everybody' : `SPF: ${answer.result}`)
      const key = answer.isOfAddress ? addressKey(client, sender.text) : domainKey(client, sender.domain ?? '')
      cache.set(key, { proof, untilMs: clock.monotonicMs() + cachedMs })
      return proof
    } finally {
      slots.give()
    }
  }

  return {
    known,
    async prove(client, sender) {
      const before = known(client, sender)
      if (before || sender === null) return before ?? notProven('it is from nobody')
      const key = addressKey(client, sender.text)
      const running = asking.get(key)
      if (running) return running
      if (asking.size >= mostWaiting) return undecided
      const started = ask(client, sender).finally(() => asking.delete(key))
      asking.set(key, started)
      return started
    },
  }
}

export const undecided: SenderProof = { kind: 'undecided' }
const notProven = (why: string): SenderProof => ({ kind: 'not-proven', why })

/** A record may speak of what the client calls itself (RFC 7208 §7.2, the macro `h`). */
const domainKey = ({ address, hello }: Client, domain: string) => `${address} ${hello} ${domain}`
const addressKey = ({ address, hello }: Client, text: string) => `${address} ${hello} <${text}>`
