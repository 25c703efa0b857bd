/**
 * Whether a backend's 5yz speaks of us (our address, our rights) and not of the sender's message: such a reply is a misconfiguration
 * behind us and never becomes the sender's 5yz.
 */
import type { Reply } from '../../mail/reply.ts'

/** What a backend was asked when it said what is judged. */
export type AskedStep = 'mail' | 'rcpt' | 'data' | 'dot'

export interface WhoWeAre {
  /** The EHLO name that this backend heard. */
  readonly hello: string
  /** The address that we connected from, where it is known. */
  readonly sourceAddress: string | undefined
  /** The sender's and the recipient's addresses, which a reply may quote: what they hold is the sender's choice and names nobody. */
  readonly quoted: readonly string[]
  /** Whether this backend has ever accepted a recipient of the domain in question. */
  readonly hasAcceptedDomain: boolean
}

// RFC 7504 (521), RFC 4954 §6 (530, 535, 538).
const alwaysAboutUs: ReadonlySet<number> = new Set([521, 530, 535, 538])

/** @param step  what was asked when this was said. @param who  how the backend knows us, and what a reply may quote */
export function isAboutUs(said: Reply, step: AskedStep, who: WhoWeAre): boolean {
  if (alwaysAboutUs.has(said.code)) return true
  if (said.enhanced !== '5.7.1' || (step !== 'mail' && step !== 'rcpt')) return false
  // "Relay access denied" from a server that never took this domain: the route is wrong, not the sender.
  const text = who.quoted.reduce(
    (rest, address) => rest.replaceAll(address.toLowerCase(), ''),
    said.text.join(' ').toLowerCase(),
  )
  return !who.hasAcceptedDomain || namesUs(text, who)
}

/** A name of ours that the sender has put behind the "@", of which the reply may quote the domain alone, says nothing. */
function namesUs(text: string, { hello, sourceAddress, quoted }: WhoWeAre): boolean {
  const domains = quoted.map((address) => address.slice(address.lastIndexOf('@') + 1).toLowerCase())
  return [hello.toLowerCase(), sourceAddress].some(
    (name) => name !== undefined && isNamedIn(text, name) && !domains.some((domain) => isNamedIn(domain, name)),
  )
}

/** As a whole word: 10.0.0.1 is not named by "10.0.0.11". */
function isNamedIn(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const before = text[at - 1] ?? ' '
    const behind = text.slice(at + name.length, at + name.length + 2)
    if (!/[a-z0-9.:_-]/.test(before) && !/^([a-z0-9:_-]|\.[a-z0-9])/.test(behind)) return true
  }
  return false
}
