/**
 * The MX set of a domain whose mail is at a known provider: whether it is whole, unmixed, and of a form that is still handed out.
 * Pages: docs/checks/provider-set-incomplete.md, provider-set-mixed.md, provider-form-obsolete.md
 */
import { type Recognised, recognise } from '../../../records/catalogue/recognise.ts'
import type { Facts } from '../../facts.ts'
import type { Fault, Severity } from '../../finding.ts'
import { domainSubject } from '../../read-facts.ts'
import type { Rule } from '../../rule.ts'
import { undecidedBy } from '../../undecided-by.ts'
import { listed, mxRecord } from '../../wording.ts'

export const providerSetIncomplete: Rule = {
  id: 'provider-set-incomplete',
  title: 'records of the mail provider are missing',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    ofProvider(facts, (recognised) => {
      const { missing, provider, form } = recognised
      if (missing.length === 0 || recognised.completeness !== 'partial') return undefined
      return {
        severity: 'warning',
        seen: `${facts.domain} has ${(form?.records.length ?? 0) - missing.length} of the ${form?.records.length ?? 0} MX records that ${provider.name} hands out${form ? ` (${form.name})` : ''}: ${listed(missing.map(({ host }) => host))} ${missing.length > 1 ? 'are' : 'is'} missing.`,
        why: 'While the servers that are named are busy or down, senders wait although others of the provider would take the mail.',
        remedy: {
          text: 'Add what is missing.',
          records: missing.map(({ preference, host }) => mxRecord(facts.domain, preference ?? 10, host)),
        },
        data: { provider: provider.id, form: form?.id ?? null, missing: missing.map(({ host }) => host) },
      }
    }),
}

export const providerSetMixed: Rule = {
  id: 'provider-set-mixed',
  title: 'exchangers of a provider beside others',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    ofProvider(facts, ({ foreign, otherForms, provider, form }) => {
      const strange = foreign.filter((one) => one.provider?.kind !== 'none')
      if (strange.length === 0 && otherForms.length === 0) return undefined
      const isOfProvider = strange.some((one) => one.provider)
      const others = strange.map(
        ({ exchanger, provider: whose }) => `${exchanger.host}${whose ? ` (${whose.name})` : ''}`,
      )
      const parts = [
        ...(others.length > 0 ? [`exchangers of others: ${listed(others)}`] : []),
        ...(otherForms.length > 0
          ? [`hosts of ${provider.name} that belong to another set: ${listed(otherForms)}`]
          : []),
      ]
      return {
        // Beside a host of one's own it may be meant as a backup.
        severity: isOfProvider || otherForms.length > 0 || provider.kind === 'filter' ? 'warning' : 'notice',
        seen: `Beside the exchangers of ${provider.name}, ${facts.domain} has ${parts.join('; ')}.`,
        why:
          provider.kind === 'filter'
            ? `Spam takes the way around the filter of ${provider.name}, straight to the other exchanger.`
            : 'Part of the mail goes to the other one: it is lost to the users, refused, or passed on with spam, unless the other knows the same recipients.',
        remedy: {
          text: `Keep the records of one: remove those that a move has left behind. Where two providers are meant, see that each knows all recipients.`,
          records: [
            ...strange.map(({ exchanger }) => exchanger),
            ...otherForms.map((host) => ({ host, preference: preferenceOf(facts, host) })),
          ].map(({ host, preference }) => `; remove: ${mxRecord(facts.domain, preference, host)}`),
        },
        data: {
          provider: provider.id,
          form: form?.id ?? null,
          foreign: strange.map(({ exchanger, provider: whose }) => ({
            host: exchanger.host,
            provider: whose?.id ?? null,
          })),
          otherForms: [...otherForms],
        },
      }
    }),
}

export const providerFormObsolete: Rule = {
  id: 'provider-form-obsolete',
  title: 'MX records that the provider no longer hands out',
  rfc: ['RFC 5321 §5.1'],
  needs: [],

  examine: (facts) =>
    ofProvider(facts, ({ obsolete, provider, leftovers }) => {
      const isOver = provider.ends !== undefined && Date.parse(`${provider.ends}T23:59:59Z`) < facts.startedAtMs
      if (obsolete.length === 0 && leftovers.length === 0 && provider.ends === undefined) return undefined
      const current = provider.forms.find(({ status }) => status === 'current')
      const records = (current?.records ?? []).map(({ preference, text }) =>
        mxRecord(facts.domain, preference ?? 10, text),
      )
      const severity: Severity = isOver || obsolete.length > 0 ? 'warning' : 'notice'
      const seen = [
        ...(obsolete.length > 0
          ? [
              `${listed(obsolete)} ${obsolete.length > 1 ? 'are hosts' : 'is a host'} that ${provider.name} no longer hands out.`,
            ]
          : []),
        ...(leftovers.length > 0
          ? [`${listed(leftovers)} once proved the ownership of the domain, and takes no mail.`]
          : []),
        ...(provider.ends !== undefined ? [`${provider.name} ${isOver ? 'ended' : 'ends'} on ${provider.ends}.`] : []),
      ]
      const isAll = provider.ends !== undefined
      return {
        severity,
        seen: seen.join(' '),
        why: isAll
          ? 'Mail for the domain has nowhere to go when the service is over.'
          : 'It may answer today, and nobody promises that it will tomorrow.',
        remedy: isAll
          ? { text: 'Move the mail to another provider (`waypost migrate`).' }
          : {
              text: `Replace it by the set that ${provider.name} hands out today${provider.panel ? `: ${provider.panel}` : ''}`,
              records: [
                ...records,
                ...leftovers.map((host) => `; remove: ${mxRecord(facts.domain, preferenceOf(facts, host), host)}`),
              ],
            },
        data: {
          provider: provider.id,
          obsolete: [...obsolete],
          leftovers: [...leftovers],
          ends: provider.ends ?? null,
        },
      }
    }),
}

/** Whose the exchangers are; undefined where nobody is known, and for a domain that takes no mail. */
export function providerOf(facts: Facts): Recognised | undefined {
  const exchangers = facts.exchangers.flatMap(({ host, preferences, isImplicit }) =>
    host && !isImplicit ? [{ host, preference: preferences[0] ?? 0 }] : [],
  )
  const recognition = recognise(exchangers)
  return recognition.kind === 'recognised' && recognition.provider.kind !== 'none' ? recognition : undefined
}

function ofProvider(facts: Facts, examine: (recognised: Recognised) => Omit<Fault, 'kind' | 'subject'> | undefined) {
  const subject = domainSubject(facts)
  if (facts.mx.kind === 'failed' || facts.mx.kind === 'not-examined') return undecidedBy(subject, 'MX', facts.mx)
  const recognised = providerOf(facts)
  const fault = recognised && examine(recognised)
  return fault ? [{ kind: 'fault', subject, ...fault } as const] : []
}

const preferenceOf = (facts: Facts, host: string) =>
  facts.exchangers.find((exchanger) => exchanger.host === host)?.preferences[0] ?? 0
