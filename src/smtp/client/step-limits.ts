/**
 * How long a server may take for one step of a transaction, however much time there is for all of them. Handed in by whoever begins the
 * transaction: a sender that waits has time for another backend then, and where nobody waits RFC 5321 is kept to the letter.
 */

/** Milliseconds, each from the moment in which the step begins. */
export interface StepLimits {
  readonly mailMs: number
  /** One reply to RCPT. */
  readonly rcptMs: number
  /** The reply to DATA. */
  readonly dataMs: number
  /** For a block of at most `blockOctets` to leave us. */
  readonly blockMs: number
  /** The reply to the dot. */
  readonly dotMs: number
}

export const blockOctets = 64 * 1024

/** While somebody waits: one backend must not use up the time that another may be asked in. */
export const shortSteps: StepLimits = {
  mailMs: 30_000,
  rcptMs: 60_000,
  dataMs: 30_000,
  blockMs: 60_000,
  dotMs: 600_000,
}

/** RFC 5321 §4.5.3.2.2 to §4.5.3.2.6. */
export const patientSteps: StepLimits = {
  mailMs: 300_000,
  rcptMs: 300_000,
  dataMs: 120_000,
  blockMs: 180_000,
  dotMs: 600_000,
}
