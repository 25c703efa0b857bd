/** What `waypost send` is told on its command line, as values. A mistake is a sentence that says what to write instead. */

import { type IpAddress, parseIp } from '../../base/ip.ts'
import { type HostName, parseName } from '../../dns/name.ts'
import { barePostmaster, type Mailbox, parseMailbox, type ReversePath } from '../../mail/address.ts'

/** Where a gateway listens of which nothing else is known. */
export const usualServer = '127.0.0.1:2525'

/** As `commander` hands them over. */
export interface RawOptions {
  /** Undefined: the gateway of the configuration at hand. */
  readonly server?: string
  readonly config?: string
  readonly from?: string
  readonly to?: readonly string[]
  readonly subject?: string
  readonly body?: string
  readonly tls?: boolean
  readonly verbose?: boolean
  readonly helo?: string
  readonly count: string
  readonly concurrency: string
}

export interface SendOptions {
  readonly server: { readonly host: HostName | IpAddress; readonly port: number }
  readonly from: ReversePath
  readonly to: readonly Mailbox[]
  readonly subject: string | undefined
  readonly body: string | undefined
  readonly tls: boolean
  readonly verbose: boolean
  readonly helo: string
  readonly count: number
  readonly concurrency: number
}

export type Parsed =
  | { readonly kind: 'options'; readonly options: SendOptions }
  | { readonly kind: 'invalid'; readonly why: string }

/** For what is not said. */
export interface Machine {
  /** Its name. */
  readonly hostname: string
  /** Who runs this. */
  readonly user: string
  /** The script that npm runs, where it does. */
  readonly npmScript: string | undefined
}

/** @param place  the server, as `host:port` */
export function parseOptions(raw: RawOptions, place: string, machine: Machine): Parsed {
  const server = parseServer(place)
  if (!server) return invalid(`--server ${place}: write host:port, for example 127.0.0.1:2525 or [::1]:2525`)
  const named = parseName(machine.hostname)
  const hostname = named.kind === 'name' ? named.name : 'localhost'
  const helo = raw.helo ?? hostname
  if (!/^[!-~]+$/.test(helo)) return invalid(`--helo ${JSON.stringify(helo)}: a name without blanks and controls`)

  const isNull = raw.from === '' || raw.from === '<>'
  const from = isNull ? undefined : readMailbox(raw.from ?? `${machine.user}@${hostname}`)
  if (from?.kind === 'invalid') return invalid(`--from ${raw.from ?? `${machine.user}@${hostname}`}: ${from.why}`)
  const to: Mailbox[] = []
  for (const text of raw.to ?? []) {
    const recipient = readRecipient(text)
    if (recipient.kind === 'invalid') return invalid(`--to ${text}: ${recipient.why}`)
    to.push(recipient.mailbox)
  }
  if (to.length === 0)
    return invalid(
      machine.npmScript === undefined
        ? '--to is missing: who shall have the message? For example --to you@example.test'
        : `--to is missing: npm keeps options to itself unless "--" stands in front of them. For example npm run ${machine.npmScript} -- --to you@example.test`,
    )
  const count = parseCount(raw.count)
  const concurrency = parseCount(raw.concurrency)
  if (count === undefined) return invalid(`--count ${raw.count}: a number from 1 to 1000000`)
  if (concurrency === undefined) return invalid(`--concurrency ${raw.concurrency}: a number from 1 to 1000000`)
  const { subject, body, tls = false, verbose = false } = raw
  return {
    kind: 'options',
    options: { server, from: from?.mailbox ?? null, to, subject, body, tls, verbose, helo, count, concurrency },
  }
}

const invalid = (why: string): Parsed => ({ kind: 'invalid', why })

/** A comma inside of quotes belongs to the address. */
export const splitList = (text: string): string[] =>
  (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((each) => each.trim()).filter((each) => each !== '')

/** An address, with or without `<` and `>`, also behind a name as it stands in a header: `Joe <joe@example.test>`. */
function readMailbox(text: string): ReturnType<typeof parseMailbox> {
  return parseMailbox(text.replace(/^(?:"(?:[^"\\]|\\.)*"|[^"<>])*<(.*)>$/s, '$1'))
}

/** The bare postmaster is a recipient that every server takes (RFC 5321 §4.5.1). */
const readRecipient = (text: string): ReturnType<typeof parseMailbox> =>
  /^<?postmaster>?$/i.test(text) ? { kind: 'mailbox', mailbox: barePostmaster } : readMailbox(text)

function parseServer(text: string): SendOptions['server'] | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]*)|([0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(text)
  if (!match) return undefined
  const [, bracketed, plain, bareIpv6, digits] = match
  const port = digits === undefined ? 25 : Number(digits)
  if (port < 1 || port > 65_535) return undefined
  const literal = bracketed ?? bareIpv6
  if (literal !== undefined) {
    const address = parseIp(bareIpv6 !== undefined && digits !== undefined ? `${literal}:${digits}` : literal)
    return address && { host: address, port: bareIpv6 === undefined ? port : 25 }
  }
  const host = plain ?? ''
  const address = parseIp(host)
  if (address) return { host: address, port }
  // "127.1" and the like: programs disagree about what they mean.
  if (/^[\d.]+$/.test(host)) return undefined
  const name = parseName(host)
  return name.kind === 'name' && host !== '.' ? { host: name.name, port } : undefined
}

function parseCount(text: string): number | undefined {
  const count = /^\d{1,7}$/.test(text) ? Number(text) : 0
  return count >= 1 && count <= 1_000_000 ? count : undefined
}
