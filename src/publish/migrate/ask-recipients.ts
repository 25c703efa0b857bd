/**
 * Whether exchangers take each of some addresses, by SMTP up to RCPT: so that a domain moves to where all of its mailboxes are. Called by
 * `waypost migrate --recipients` before anything is published.
 */
import { type IpAddress, isIpv6, whyNotPublic } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { parseMailbox } from '../../mail/address.ts'
import { probe } from '../../smtp/probe.ts'
import { type AskDeps, type AskOptions, addressesOf, rawReplyText } from '../plan/ask-exchangers.ts'

/** What one exchanger said. All words are printable. */
export interface RecipientsAsked {
  readonly host: HostName
  readonly refused: readonly { readonly address: string; readonly reply: string }[]
  /** Of how many it did not say, and why of the first. */
  readonly unasked: number
  readonly why: string | undefined
}

export type ReadRecipients =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'invalid'; readonly why: string }

/** More than this is asked of nobody. */
export const mostRecipients = 10_000
/** Recipients of one session: strangers that ask for more look like those who guess addresses. */
const mostInSession = 50
const limits = { connectMs: 10_000, greetingMs: 30_000, commandMs: 20_000, sessionMs: 300_000 }

/** @param text  one address a line; blank lines and those that begin with "#" say nothing */
export function readRecipients(text: string, domain: HostName): ReadRecipients {
  const addresses = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const word = line.trim()
    if (word === '' || word.startsWith('#')) continue
    const wrong = (why: string): ReadRecipients => ({
      kind: 'invalid',
      why: `line ${index + 1}: "${printable(word, 100)}" ${why}`,
    })
    const parsed = parseMailbox(word)
    if (parsed.kind !== 'mailbox') return wrong(parsed.why)
    if (parsed.mailbox.domain !== domain) return wrong(`is no address of ${domain}`)
    if (parsed.mailbox.text.includes(' ')) return wrong('has a blank, and is not asked for')
    addresses.add(parsed.mailbox.text)
    if (addresses.size > mostRecipients) return wrong(`is one more than the ${mostRecipients} that are asked for`)
  }
  return addresses.size > 0
    ? { kind: 'addresses', addresses: [...addresses] }
    : { kind: 'invalid', why: 'there is no address in it' }
}

/** One exchanger after the other, and of each its first address that lets itself be asked. */
export async function askRecipients(
  hosts: readonly HostName[],
  addresses: readonly string[],
  options: AskOptions,
  deps: AskDeps,
): Promise<RecipientsAsked[]> {
  const asked: RecipientsAsked[] = []
  for (const host of hosts) {
    const found = await addressesOf(host, options, deps)
    const all = found.kind === 'addresses' ? found.addresses : []
    const open = all.filter((address) => options.isPrivate || whyNotPublic(address) === undefined)
    const one = (six: boolean) => open.find((address) => isIpv6(address) === six)
    const tried = [one(false), one(true)].filter((address) => address !== undefined)
    let last: RecipientsAsked = { host, refused: [], unasked: addresses.length, why: 'it has no address to ask' }
    for (const address of tried) {
      last = await askHost(host, address, addresses, options, deps)
      if (last.unasked < addresses.length) break
    }
    asked.push(last)
  }
  return asked
}

async function askHost(
  host: HostName,
  at: IpAddress,
  addresses: readonly string[],
  options: AskOptions,
  deps: AskDeps,
): Promise<RecipientsAsked> {
  const refused: { address: string; reply: string }[] = []
  let unasked = 0
  let why: string | undefined
  for (let start = 0; start < addresses.length; start += mostInSession) {
    const those = addresses.slice(start, start + mostInSession)
    const session = await probe(
      {
        ...{ address: at, port: options.smtpPort, hello: options.hello, serverName: host, limits },
        recipients: those.map((address) => ({ purpose: 'known', address, sender: null })),
        ...{ extras: [], injects: false, isPrivate: options.isPrivate },
      },
      { clock: deps.clock, door: deps.door, mayConnect: () => true },
    )
    for (const address of those) {
      const said = session.recipients.find((each) => each.address === address)?.said
      const reply = said?.kind === 'reply' ? said.reply : undefined
      const text = reply && printable(rawReplyText({ reply }), 200)
      if (reply && reply.code >= 500) refused.push({ address, reply: text ?? '' })
      // A 4yz is patience that it asks for.
      else if (!reply || reply.code >= 400) {
        unasked++
        why ??= text ?? `${at} did not say`
      }
    }
    // Who answers nothing at all is not asked again and again.
    if (unasked === those.length && start === 0) return { host, refused, unasked: addresses.length, why }
  }
  return { host, refused, unasked, why }
}
