/**
 * Preferences that make no sense: a provider's servers in another order than it wants, or a host that is called a backup in front of one that
 * is not. The numbers themselves mean nothing (RFC 5321 §5.1). Page: docs/checks/mx-preferences-odd.md
 */
import type { HostName } from '../../../dns/name.ts'
import type { ExchangerFacts, Facts } from '../../facts.ts'
import type { Fault } from '../../finding.ts'
import { bestOf } from '../../mail-share.ts'
import { domainSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord } from '../../wording.ts'
import { providerOf } from './provider-set.ts'

export const mxPreferencesOdd: Rule = {
  id: 'mx-preferences-odd',
  title: 'preferences of the MX records make no sense',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine(facts) {
    if (facts.mx.kind === 'failed' || facts.mx.kind === 'not-examined')
      return undecidedBy(domainSubject(facts), 'MX', facts.mx)
    const fault = ofProvider(facts) ?? ofNames(facts)
    return fault ? [fault] : []
  },
}

function ofProvider(facts: Facts): Fault | undefined {
  const recognised = providerOf(facts)
  if (!recognised || (recognised.order !== 'flattened' && recognised.order !== 'inverted')) return undefined
  const { provider, form } = recognised
  const wanted = (form?.records ?? []).flatMap(({ preference, text }) =>
    preference === undefined || text.includes('<') ? [] : [mxRecord(facts.domain, preference, text)],
  )
  return {
    kind: 'fault',
    severity: 'warning',
    subject: domainSubject(facts),
    seen:
      recognised.order === 'inverted'
        ? `The MX records of ${facts.domain} try servers of ${provider.name} in another order than it wants.`
        : `The MX records of ${facts.domain} give the same preference to servers of ${provider.name} that are to be tried one after the other.`,
    why: 'A server that is meant as a backup gets mail while the first one works: it may be slower, or pass it on, or refuse it.',
    remedy: { text: `Set the preferences as ${provider.name} gives them.`, records: wanted },
    data: { provider: provider.id, order: recognised.order },
  }
}

/** What people call a host says what it is for; so this is a notice alone. */
function ofNames(facts: Facts): Fault | undefined {
  const named = facts.exchangers.filter(
    (one): one is ExchangerFacts & { readonly host: HostName } => one.host !== undefined,
  )
  const first = bestOf(named)
  const backups = first.filter(({ host }) => isCalledBackup(host ?? ''))
  if (backups.length === 0 || backups.length < first.length) return undefined
  const others = named.filter((one) => !first.includes(one) && !isCalledBackup(one.host ?? ''))
  const told = listed(backups.map(({ host }) => host ?? ''))
  return {
    kind: 'fault',
    severity: 'notice',
    subject: domainSubject(facts),
    seen:
      others.length > 0
        ? `${told} is tried first, by its name a backup, and ${listed(others.map(({ host }) => host ?? ''))} only after it.`
        : `By their names all exchangers of ${facts.domain} that are tried first are backups: ${told}.`,
    why: 'If the names are right, all mail goes by the backup, and waits there for a primary that no sender is told of.',
    remedy: {
      text: 'Give the primary server the lowest preference.',
      records: [mxRecord(facts.domain, 10, others[0]?.host ?? `mx1.${facts.domain}`)],
    },
    data: { first: backups.map(({ host }) => host ?? '') },
  }
}

const isCalledBackup = (host: string) =>
  /(^|[.-])(backup|bkp|secondary|fallback|spare)[0-9]*[.-]|(^|[.-])(mx|mail)-?(backup|bkp)[0-9]*\./.test(host)
