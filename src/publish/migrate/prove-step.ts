/**
 * What must hold right before a step of a migration is written, asked of the world: that exchangers take mail for the domain, and that the MTA-STS
 * policy lists both sides. Asked by `step-migration.ts`.
 */
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { isCoveredBySts } from '../../records/mta-sts.ts'
import { askExchangers, type ExchangerProspect } from '../plan/ask-exchangers.ts'
import type { Concern, RefusalRule } from '../plan/consequences.ts'
import type { ExamineDeps, ExamineOptions } from '../plan/examine.ts'
import { policyOf } from '../plan/find-policy.ts'
import { type Migration, type MigrationPolicy, newHosts } from './migration.ts'
import type { Proof } from './next-step.ts'

/** @returns what does not hold, or could not be told */
export async function prove(
  proof: Proof,
  migration: Migration,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const { domain, old } = migration
  switch (proof) {
    case 'nothing':
      return []
    case 'new-take-mail':
      return takeMail(domain, newHosts(migration), options, deps)
    case 'old-take-mail':
      return takeMail(
        domain,
        old.exchangers.map(({ host }) => host),
        options,
        deps,
      )
    case 'policy-lists-both':
      return policyListsBoth(migration, options, deps)
  }
}

/** Every one of them: whoever refuses bounces what comes to it. */
async function takeMail(
  domain: HostName,
  hosts: readonly HostName[],
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const asked = await askExchangers(domain, hosts, options, deps)
  return asked.flatMap((prospect) => notTaking(domain, prospect))
}

function notTaking(domain: HostName, { host, addresses, smtp }: ExchangerProspect): Concern[] {
  const refuse = (rule: RefusalRule, why: string, remedy: string): Concern[] => [
    { severity: 'refuse', rule, domain, why, remedy },
  ]
  if (addresses.kind === 'none')
    return refuse('no-working-exchanger', `${host} does not resolve: ${addresses.why}`, 'Mend its name or address.')
  switch (smtp.kind) {
    case 'takes':
      return []
    case 'refuses':
      return refuse(
        'no-working-exchanger',
        `${host} takes no mail for ${domain}: ${printable(smtp.reply, 200)}`,
        'Add the domain there first, with its mailboxes.',
      )
    case 'silent':
      return refuse('no-working-exchanger', `${host} answers no SMTP: ${smtp.why}`, 'Have it run first.')
    case 'not-wanted':
    case 'not-checked':
      return refuse(
        'unproven',
        `whether ${host} takes mail for ${domain} was not checked: ${smtp.kind === 'not-wanted' ? '--no-smtp' : printable(smtp.why, 200)}`,
        'Do this from where port 25 is open, or send a message there by hand and allow it.',
      )
  }
}

async function policyListsBoth(
  migration: Migration,
  options: ExamineOptions,
  deps: ExamineDeps,
): Promise<readonly Concern[]> {
  const { domain, old, next, policy } = migration
  const refuse = (why: string, remedy: string): Concern[] => [
    { severity: 'refuse', rule: 'mta-sts', domain, why, remedy },
  ]
  const found = await policyOf(domain, options, deps)
  if (found.kind !== 'policy')
    return refuse(
      found.kind === 'none'
        ? `${domain} announces no MTA-STS policy any more`
        : `the MTA-STS policy of ${domain} could not be read: ${printable(found.why, 200)}`,
      'Senders may have kept the old one: serve it again, with old and new exchangers.',
    )
  const hosts = [...old.exchangers, ...next.exchangers].map(({ host }) => host)
  const missing = hosts.filter((host) => !isCoveredBySts(found.policy, host))
  if (missing.length === 0) return []
  return refuse(
    `the MTA-STS policy of ${domain} does not list ${missing.join(', ')}`,
    `Serve this at https://mta-sts.${domain}/.well-known/mta-sts.txt: ${policy ? policyLines(policy, hosts).join(' | ') : ''}`,
  )
}

/** RFC 8461 §3.2 */
export function policyLines({ mode, maxAgeSeconds }: MigrationPolicy, hosts: readonly HostName[]): string[] {
  const mx = [...new Set(hosts)].map((host) => `mx: ${host}`)
  return ['version: STSv1', `mode: ${mode}`, ...mx, `max_age: ${maxAgeSeconds}`]
}
