/**
 * What is done with a domain's mail while none of its backends can take it. Declared for each domain or for all; read by `gateway/hold`,
 * `gateway/drain` and what comes after them.
 */

export interface HoldPolicy {
  /** How long a message is kept, in milliseconds. 0: it is not, and the sender hears 451. */
  readonly holdMs: number
  /** Recipients that no backend has accepted lately, while none can be asked: taken, or asked to come again. */
  readonly unknownRecipients: 'hold' | 'defer'
  /**
   * A backend refuses what we have taken: `proven` tells the senders whose address was proven and keeps the rest for a person, `dsn` tells
   * all (which makes backscatter), `keep` tells nobody.
   */
  readonly refusedAfterHold: 'proven' | 'dsn' | 'keep'
  /** Recipients of several routes in one transaction: carried together, or asked to come in another one. */
  readonly fanOut: 'together' | 'split'
  /** How long a message that a backend may have goes to no other, in milliseconds from its dot. */
  readonly unknownWaitMs: number
  /** After how long a sender is told that its message waits, in milliseconds; undefined: never. */
  readonly delayNoticeMs: number | undefined
}

/** Whether mail under the one is dealt with as under the other. */
export const isSamePolicy = (one: HoldPolicy, other: HoldPolicy): boolean =>
  one === other || (Object.keys(one) as (keyof HoldPolicy)[]).every((key) => one[key] === other[key])

export const neverHold: HoldPolicy = {
  holdMs: 0,
  unknownRecipients: 'defer',
  refusedAfterHold: 'proven',
  fanOut: 'split',
  unknownWaitMs: 60 * 60_000,
  delayNoticeMs: undefined,
}

/** What waypost.yaml may say of it, for a domain or for all. `off` arrives as 0. */
export interface HoldWords {
  readonly hold?: number | undefined
  readonly unknownRecipients?: HoldPolicy['unknownRecipients'] | undefined
  readonly refusedAfterHold?: HoldPolicy['refusedAfterHold'] | undefined
  readonly fanOut?: HoldPolicy['fanOut'] | undefined
  readonly unknownWait?: number | undefined
  readonly delayNotice?: number | undefined
}

const dayMs = 24 * 60 * 60_000

/** @param said  of the domain, which goes before what is said for all */
export function holdPolicy(said: HoldWords, shared: HoldWords): HoldPolicy {
  const delayMs = said.delayNotice ?? shared.delayNotice ?? 0
  return {
    holdMs: said.hold ?? shared.hold ?? 14 * dayMs,
    unknownRecipients: said.unknownRecipients ?? shared.unknownRecipients ?? 'hold',
    refusedAfterHold: said.refusedAfterHold ?? shared.refusedAfterHold ?? 'proven',
    fanOut: said.fanOut ?? shared.fanOut ?? 'together',
    unknownWaitMs: said.unknownWait ?? shared.unknownWait ?? 60 * 60_000,
    delayNoticeMs: delayMs === 0 ? undefined : delayMs,
  }
}
