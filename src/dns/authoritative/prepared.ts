/** An answer as `prepare.ts` makes it in advance, `zone.ts` keeps it and `write-answer.ts` sends it. */

/** What limits and counters tell apart. */
export type AnswerKind = 'positive' | 'referral' | 'no-data' | 'no-such-name'

export interface Prepared {
  readonly kind: AnswerKind
  /** AA or nothing, as it stands in the header's flags. */
  readonly flags: number
  readonly rcode: number
  readonly body: Buffer
  /** The length of the question's name for which the pointers are right. */
  readonly nameOctets: number
  /** Where in the body a pointer stands that moves with the question's length. */
  readonly pointers: readonly number[]
  readonly answers: number
  readonly authorities: number
  /** Up to here nothing can be left out without saying so (TC). */
  readonly requiredEnd: number
  readonly requiredAdditionals: number
  /** The sets behind it, which can, each with where it ends and how many records there are up to then. */
  readonly optional: readonly { readonly end: number; readonly additionals: number }[]
  /** The hosts whose addresses are in it, or would be. */
  readonly hosts: readonly Host[]
  /** The sum of their versions when it was made: another sum, and it has to be made again. */
  readonly stamp: number
}

/** A name whose addresses stand in other names' answers. The version only grows. */
export interface Host {
  /** Another for each. */
  readonly id: number
  version: number
}
