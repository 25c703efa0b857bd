/**
 * What of an SPF record proves a sender. A pass by `all`, by `ptr`, by `exists` or by a network so wide that strangers share it says that mail
 * may come from there, and not that it comes from whom it names. Such terms are made neutral (RFC 7208 §2.6.2), and what passes then, passes
 * by something that its owner meant. Pure; called by `spf`.
 */

/** Fewer bits than these are more hosts than one owner has. */
const leastIpv4Bits = 16
const leastIpv6Bits = 32

/** @param isIpv6  the client's family: of `a` and `mx` it says which of the two lengths counts (RFC 7208 §5.6) */
export function narrowedSpf(record: string, isIpv6: boolean): string {
  if (!/^v=spf1(?: |$)/i.test(record)) return record // RFC 7208 §4.5
  return record
    .split(' ')
    .map((term) => (isBroad(term, isIpv6) ? `?${term.replace(/^\+/, '')}` : term))
    .join(' ')
}

/** Whether the term lets pass (RFC 7208 §4.6.2: no qualifier is "+"), and whom nobody could tell apart. */
function isBroad(term: string, isIpv6: boolean): boolean {
  const mechanism = /^\+?(all|ptr|exists|ip4|ip6|a|mx)(?=$|[:/])/i.exec(term)?.[1]?.toLowerCase()
  switch (mechanism) {
    case undefined:
      return false
    case 'all':
    case 'ptr':
    case 'exists':
      return true
    case 'ip4':
      return bitsOf(/\/(\d+)$/, term, leastIpv4Bits) < leastIpv4Bits
    case 'ip6':
      return bitsOf(/\/(\d+)$/, term, leastIpv6Bits) < leastIpv6Bits
    default:
      return isIpv6
        ? bitsOf(/\/\/(\d+)$/, term, leastIpv6Bits) < leastIpv6Bits
        : bitsOf(/(?<!\/)\/(\d+)(?:\/\/\d+)?$/, term, leastIpv4Bits) < leastIpv4Bits
  }
}

function bitsOf(form: RegExp, term: string, otherwise: number): number {
  const bits = form.exec(term)?.[1]
  return bits === undefined ? otherwise : Number(bits)
}
