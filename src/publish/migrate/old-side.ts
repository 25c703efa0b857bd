/**
 * Whether the exchangers that a domain was moved away from still take mail for it: then its old provider goes on to think that the domain is its
 * own, and what its other customers send to the domain never leaves it, whatever the MX records say. Called by `waypost migrate` at the end.
 */

import type { HostName } from '../../dns/name.ts'
import { recognise } from '../../records/catalogue/recognise.ts'
import { type AskDeps, type AskOptions, askExchangers } from '../plan/ask-exchangers.ts'
import type { Migration } from './migration.ts'

export interface OldSide {
  /** Old exchangers that still take its mail. */
  readonly hosts: readonly HostName[]
  /** What to do about it there. */
  readonly remedy: string
}

/** Of providers whose own words for it are known. */
const remedies: Readonly<Record<string, string>> = {
  'microsoft-365':
    'In the Exchange admin center, under Mail flow, Accepted domains, make the domain an "Internal relay", or remove it from the tenant.',
  'google-workspace':
    'In the Admin console, remove the domain under Account, Domains, or send on what is not there under Apps, Gmail, Default routing.',
}
const usualRemedy =
  'Remove the domain there, or have it taken for one elsewhere (in cPanel: Email Routing, "Remote Mail Exchanger"; in Plesk: switch off its mail service).'

/** @returns undefined where none of them takes it, or nobody could be asked: that is no sign of anything */
export async function askOldSide(
  { domain, old, next }: Pick<Migration, 'domain' | 'old' | 'next'>,
  options: AskOptions,
  deps: AskDeps,
): Promise<OldSide | undefined> {
  const staying = new Set(next.exchangers.map(({ host }) => host))
  const left = old.exchangers.map(({ host }) => host).filter((host) => !staying.has(host))
  const asked = await askExchangers(domain, left, options, deps)
  const hosts = asked.filter(({ smtp }) => smtp.kind === 'takes').map(({ host }) => host)
  if (hosts.length === 0) return undefined
  const known = recognise(old.exchangers)
  const id = known.kind === 'unknown' ? undefined : known.provider.id
  return { hosts, remedy: (id !== undefined && remedies[id]) || usualRemedy }
}
