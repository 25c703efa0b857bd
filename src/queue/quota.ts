/**
 * How much the hold may take: `limits.hold` in all, a quarter of it a recipient domain, and of that a quarter one client network where half of it is
 * taken; a tenth of it beside for what is only kept for a person to see; and how much of the disk must stay free. Pure; engines ask it before they
 * take a message.
 */

export interface HoldLimits {
  /** Octets of messages, by `heldCost`; undefined: half of what is free at the start (and held already), 256 GiB at most. */
  readonly holdBytes: number | undefined
  /** Octets of the disk that stay free; undefined: 512 MiB, or a twentieth of the disk where that is less. */
  readonly freeBytes: number | undefined
}

const mostByDefault = 256 * 1024 ** 3
const mostFreeByDefault = 512 * 1024 ** 2

/** @param diskBytes  free at the start; @param heldBytes  held at the start */
export function holdLimit({ holdBytes }: HoldLimits, diskBytes: number, heldBytes: number): number {
  return holdBytes ?? Math.min(mostByDefault, Math.floor((diskBytes + heldBytes) / 2))
}

export function freeLimit({ freeBytes }: HoldLimits, totalBytes: number): number {
  return freeBytes ?? Math.min(mostFreeByDefault, Math.floor(totalBytes / 20))
}

/** Beside its body: its row with its envelope and trace, and the entries of the indexes. Measured: 600 octets; long names take some more. */
const messageOctets = 1024
/** One recipient of it. Measured: 100 octets, 850 with a long address and all that ORCPT may bring. */
const recipientOctets = 1024

/** What a message takes of the hold: a body of no octets for a thousand recipients is not for free. */
export const heldCost = (bodyOctets: number, recipients: number): number =>
  bodyOctets + messageOctets + recipients * recipientOctets

export const domainLimit = (limit: number): number => Math.floor(limit / 4)
/** Until so much of a domain's quarter is taken, whoever comes first may have it. */
export const crowdedFrom = (limit: number): number => Math.floor(domainLimit(limit) / 2)
/** From then on, this is what one network may have of it. */
export const networkLimit = (limit: number): number => Math.floor(domainLimit(limit) / 4)
export const keptLimit = (limit: number): number => Math.floor(limit / 10)
