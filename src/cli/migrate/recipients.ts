/** `waypost migrate --recipients`: addresses that the new exchangers must take before anything is begun. */
import { readFile } from 'node:fs/promises'
import { errorCode } from '../../base/error-code.ts'
import type { IpAddress } from '../../base/ip.ts'
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { isAtOrBelow, nameFromHost } from '../../dns/wire-name.ts'
import { type Declaration, declaredExchangers } from '../../publish/declare/declaration.ts'
import { askRecipients, readRecipients } from '../../publish/migrate/ask-recipients.ts'
import { publishedAddresses } from '../../publish/migrate/published-addresses.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import { type ExamineDeps, type ExamineOptions, unitsOf } from '../../publish/plan/examine.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'
import type { Publishing } from '../publishing/publishing.ts'

export interface RecipientFlags {
  /** A file with one address a line. */
  readonly recipients?: string
  readonly allow: ReadonlySet<RefusalRule>
}

const mostShown = 20

export interface RecipientsOf {
  readonly domain: HostName
  /** The new exchangers. */
  readonly wanted: readonly Exchanger[]
  readonly declaration: Declaration
}

/** Which addresses the new exchangers do not take, or are not known to; undefined where they take all of them, or nobody wants to know. */
export async function whyUntaken(
  { domain, wanted, declaration }: RecipientsOf,
  { recipients: file, allow }: RecipientFlags,
  { options, deps }: Publishing,
): Promise<{ readonly why: string; readonly remedy: string } | undefined> {
  if (file === undefined) return undefined
  const shown = printable(file, 300)
  const text = await readFile(file, 'utf8').catch((error: unknown) => ({ code: errorCode(error) ?? 'unknown' }))
  if (typeof text !== 'string')
    return { why: `${shown} cannot be read (${text.code})`, remedy: 'Name a file with one address a line.' }
  const read = readRecipients(text, domain)
  if (read.kind === 'invalid') return { why: `${shown}: ${read.why}`, remedy: 'Name a file with one address a line.' }
  if (!options.asksSmtp)
    return { why: '--recipients asks by SMTP, and --no-smtp says not to', remedy: 'Leave out one of them.' }
  const hosts = wanted.map(({ host }) => host)
  const published = await whereTheyWillBe(hosts, declaration, options, deps)
  const asked = await askRecipients(hosts, read.addresses, { ...options, published }, deps)
  const refused = asked.flatMap((each) =>
    each.refused.map(({ address, reply }) => `${each.host}: ${address}: ${reply}`),
  )
  if (refused.length > 0) {
    const more = refused.length > mostShown ? [`and ${refused.length - mostShown} more`] : []
    return {
      why: `the new exchangers do not take all ${read.addresses.length} addresses\n  ${[...refused.slice(0, mostShown), ...more].join('\n  ')}`,
      remedy: 'Make these mailboxes there first.',
    }
  }
  const open = asked.find(({ unasked }) => unasked > 0)
  if (open === undefined || allow.has('unproven')) return undefined
  return {
    why: `whether ${open.host} takes ${open.unasked} of the ${read.addresses.length} addresses could not be told: ${open.why ?? ''}`,
    remedy: 'Ask again later, or pass over that with --allow unproven.',
  }
}

/** Of hosts in the domain's own zone: the addresses that the migration will publish, and else those that are there. */
async function whereTheyWillBe(
  hosts: readonly HostName[],
  declaration: Declaration,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<ReadonlyMap<HostName, readonly IpAddress[]>> {
  const [unit] = unitsOf([declaration], options.publishers)
  if (unit === undefined) return new Map()
  const own = declaredExchangers(declaration).flatMap(({ host, addresses = [] }) =>
    addresses.length > 0 && isAtOrBelow(nameFromHost(host), unit.zone) ? [[host, addresses] as const] : [],
  )
  return new Map([...(await publishedAddresses(unit, hosts, options, deps)), ...own])
}
