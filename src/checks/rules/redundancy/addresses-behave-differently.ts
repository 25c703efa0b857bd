/**
 * One exchanger's addresses answer in different ways: other software, other extensions, a certificate for other names, another verdict on the
 * same recipient. Pools rotate, so it is a notice. Page: docs/checks/addresses-behave-differently.md
 */
import { keywordsOf, lastHello, type ProbedSession, type Said } from '../../../smtp/probe-facts.ts'
import { pathOf } from '../../certificate.ts'
import type { ExchangerFacts } from '../../facts.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { exchangerSubject, plainName } from '../../read-facts.ts'
import { sessionThatCounts } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'
import { listed } from '../../wording.ts'

export const addressesBehaveDifferently: Rule = {
  id: 'addresses-behave-differently',
  title: 'addresses of one exchanger behave differently',
  rfc: [],
  needs: ['smtp'],
  examine: ({ exchangers }) => exchangers.flatMap(ofExchanger),
}

function ofExchanger(exchanger: ExchangerFacts): Verdict[] {
  if (exchanger.addresses.length < 2) return []
  const subject = exchangerSubject(exchanger)
  const heard = exchanger.addresses.flatMap(({ address, smtp }) => {
    const session = smtp.kind === 'probed' ? sessionThatCounts(smtp) : undefined
    return session?.ehlo.kind === 'reply' ? [{ address, session }] : []
  })
  if (heard.length < 2) {
    const skipped = exchanger.addresses.map(({ smtp }) => smtp).find((smtp) => smtp.kind === 'not-examined')
    return skipped?.kind === 'not-examined' && skipped.reason !== 'not-applicable' ? [undecided(subject, skipped)] : []
  }
  const differences = traits.flatMap(({ what, of }) => {
    // Greylisting and rate limits say nothing about what a server is.
    const values = heard.flatMap(({ address, session }) => {
      const value = of(session)
      return value === undefined ? [] : [{ address, value }]
    })
    if (new Set(values.map(({ value }) => value)).size < 2) return []
    return [`${what}: ${listed(values.map(({ address, value }) => `${value === '' ? 'none' : value} at ${address}`))}`]
  })
  if (differences.length === 0) return []
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `The addresses of ${plainName(exchanger.name)} differ in ${differences.join('; ')}.`,
      why: 'What happens to a message depends on the address that its sender happens to take; such faults are hard to find.',
      remedy: { text: 'Give the servers behind the name the same software and configuration, or names of their own.' },
      data: { exchanger: plainName(exchanger.name), differences },
    },
  ]
}

/** Words of ours out of what the server said: nothing of it is repeated. */
const traits: readonly { readonly what: string; readonly of: (session: ProbedSession) => string | undefined }[] = [
  { what: 'software', of: ({ greeting }) => softwareIn(greeting) },
  {
    what: 'extensions',
    of: (session) => {
      const hello = lastHello(session)
      if (hello.kind !== 'reply' || hello.reply.code !== 250) return undefined
      const keywords = [...keywordsOf(hello).keys()].filter((keyword) => /^[A-Z0-9-]{1,40}$/.test(keyword))
      return keywords.sort().join(' ')
    },
  },
  {
    what: 'names in the certificate',
    of: ({ handshake }) => {
      const leaf = handshake.kind === 'secured' ? pathOf(handshake.chain)[0] : undefined
      const names = leaf?.dnsNames.filter((name) => /^[a-z0-9_.*-]{1,253}$/.test(name))
      return names && listed([...names].sort(), 4)
    },
  },
  { what: 'the verdict on postmaster', of: (session) => verdictOn(session, 'postmaster') },
  { what: 'the verdict on an unknown recipient', of: (session) => verdictOn(session, 'unknown') },
  { what: 'the verdict on a known recipient', of: (session) => verdictOn(session, 'known') },
]

const programs = [
  'Postfix',
  'Exim',
  'Sendmail',
  'Microsoft',
  'OpenSMTPD',
  'Haraka',
  'qmail',
  'Dovecot',
  'Stalwart',
  'Exchange',
  'MailEnable',
  'Halon',
  'KumoMTA',
  'Waypost',
]

function softwareIn(said: Said): string | undefined {
  if (said.kind !== 'reply' || said.reply.code !== 220) return undefined
  const text = said.reply.text.join(' ').toLowerCase()
  return programs.find((program) => text.includes(program.toLowerCase())) ?? ''
}

function verdictOn({ recipients }: ProbedSession, purpose: 'postmaster' | 'unknown' | 'known'): string | undefined {
  const asked = recipients.find((one) => one.purpose === purpose)
  if (asked?.said.kind !== 'reply' || asked.mail.kind !== 'reply' || asked.mail.reply.code >= 300) return undefined
  const { code } = asked.said.reply
  return code < 300 ? 'accepted' : code >= 500 ? 'refused' : undefined
}
