/**
 * EHLO and what it offers: refused (smtp-ehlo-refused), a small SIZE (smtp-size-small), extensions that senders count on
 * (smtp-extensions-missing) and exchangers that offer different ones (smtp-extensions-differ). Pages: docs/checks/smtp-….md
 */
import { printable } from '../../../base/printable.ts'
import type { Facts } from '../../facts.ts'
import type { Verdict } from '../../finding.ts'
import { domainSubject } from '../../read-facts.ts'
import {
  extensionsOf,
  isAccepted,
  isRefused,
  overVisits,
  printableReply,
  undecidedHello,
  undecidedSaid,
  type Visit,
  visitsOf,
} from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const smtpEhloRefused: Rule = {
  id: 'smtp-ehlo-refused',
  title: 'exchanger that refuses EHLO',
  rfc: ['RFC 5321 §3.2', 'RFC 5321 §4.5.1'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, refusedHello),
}

function refusedHello(visit: Visit): readonly Verdict[] {
  const { subject, who, session } = visit
  const { ehlo, helo, hello } = session
  if (isAccepted(ehlo)) return []
  if (ehlo.kind !== 'reply' || !isRefused(ehlo)) return [undecidedHello(visit)]
  if (!isAccepted(helo) && !isRefused(helo)) return [undecidedSaid(subject, helo)]
  const isLost = isRefused(helo)
  const both = isLost && helo.kind === 'reply' ? ` and HELO with "${printableReply(helo.reply)}"` : '; HELO works'
  return [
    {
      kind: 'fault',
      severity: isLost ? 'error' : 'notice',
      subject,
      seen: `${who} answers "EHLO ${printable(hello, 260)}" with "${printableReply(ehlo.reply)}"${both}.`,
      why: isLost
        ? 'A sender that may not say hello delivers nothing. It may be aimed at the name that was said, or at the address that asked.'
        : 'Every server must know EHLO. With HELO alone there is no TLS, no size limit told beforehand and no 8-bit mail.',
      remedy: {
        text: 'Take away the filter in front of the server that does not let EHLO through (a firewall that "inspects" SMTP), or what refuses names of clients.',
        settings: ['no inspect esmtp (Cisco)', 'smtpd_discard_ehlo_keywords =', 'smtpd_helo_restrictions ='],
      },
      data: { code: ehlo.reply.code, heloWorks: !isLost },
    },
  ]
}

const leastBytes = 10 * 1024 * 1024

export const smtpSizeSmall: Rule = {
  id: 'smtp-size-small',
  title: 'exchanger that takes small messages only',
  rfc: ['RFC 1870 §3'],
  needs: ['smtp'],
  examine: (facts) =>
    overVisits(facts, (visit) => {
      const extensions = extensionsOf(visit.session)
      if (!extensions) return [undecidedHello(visit)]
      const bytes = sizeOf(extensions)
      if (bytes === undefined || bytes === 0 || bytes >= leastBytes) return []
      const { subject, who } = visit
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `${who} takes messages of up to ${bytes} octets (SIZE).`,
          why: 'People send attachments of 10 MB and more, which grow by a third on the way; such mail comes back to them.',
          remedy: { text: 'Allow larger messages.', settings: ['message_size_limit = 52428800'] },
          data: { bytes },
        },
      ]
    }),
}

/** RFC 1870 §3: 0 is "no fixed limit", and no number says nothing. */
function sizeOf(extensions: ReadonlyMap<string, string>): number | undefined {
  const value = extensions.get('SIZE')
  return value !== undefined && /^\d{1,20}$/.test(value) ? Number(value) : undefined
}

export const smtpExtensionsMissing: Rule = {
  id: 'smtp-extensions-missing',
  title: 'exchanger without common extensions',
  rfc: ['RFC 6152', 'RFC 2920', 'RFC 6531'],
  needs: ['smtp'],
  examine(facts) {
    // Mail for an internationalised domain may come with addresses that need SMTPUTF8.
    const isInternational = facts.domain.split('.').some((label) => label.startsWith('xn--'))
    const wanted = ['8BITMIME', 'PIPELINING', ...(isInternational ? ['SMTPUTF8'] : [])]
    return overVisits(facts, (visit) => {
      const extensions = extensionsOf(visit.session)
      if (!extensions) return [undecidedHello(visit)]
      const missing = wanted.filter((keyword) => !extensions.has(keyword))
      if (missing.length === 0) return []
      const { subject, who } = visit
      return [
        {
          kind: 'fault',
          severity: 'notice',
          subject,
          seen: `${who} does not offer ${missing.join(' and ')}.`,
          why: `Without 8BITMIME senders must rewrite messages, which breaks signatures; without PIPELINING each takes more round trips${isInternational ? '; without SMTPUTF8 mail to addresses in their own script comes back' : ''}.`,
          remedy: {
            text: 'Switch them on, and see that no filter in front of the server takes them away.',
            settings: [
              'smtpd_discard_ehlo_keywords =',
              ...(missing.includes('SMTPUTF8') ? ['smtputf8_enable = yes'] : []),
            ],
          },
          data: { missing },
        },
      ]
    })
  },
}

const compared = ['SIZE', '8BITMIME', 'SMTPUTF8', 'PIPELINING', 'CHUNKING'] as const

export const smtpExtensionsDiffer: Rule = {
  id: 'smtp-extensions-differ',
  title: 'exchangers that offer different extensions',
  rfc: ['RFC 5321 §5.1'],
  needs: ['smtp'],
  examine: differing,
}

function differing(facts: Facts): readonly Verdict[] {
  if (facts.exchangers.length < 2) return []
  const visits = visitsOf(facts)
  const offers = facts.exchangers.map((exchanger) => {
    const own = visits.find((visit) => visit.exchanger === exchanger && extensionsOf(visit.session))
    return own && { who: own.who, extensions: extensionsOf(own.session) ?? new Map<string, string>() }
  })
  const known = offers.filter((offer) => offer !== undefined)
  const [first, ...others] = known
  const differences = first
    ? compared.filter((keyword) =>
        others.some((other) => offerOf(keyword, other.extensions) !== offerOf(keyword, first.extensions)),
      )
    : []
  const subject = domainSubject(facts)
  if (differences.length === 0) {
    if (known.length === offers.length) return []
    const why = 'Not every exchanger has said what it offers.'
    return [{ kind: 'undecided', subject, reason: 'depends-on-failed', why }]
  }
  const told = known.map(
    ({ who, extensions }) => `${who} has ${differences.map((keyword) => describe(keyword, extensions)).join(', ')}`,
  )
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `The exchangers offer different extensions: ${told.slice(0, 10).join('; ')}.`,
      why: 'What one exchanger takes, another refuses: a large message, or one with an address in another script, comes back or not by which of them was asked.',
      remedy: {
        text: 'Give all exchangers the same limits and extensions.',
        settings: ['message_size_limit', 'smtputf8_enable', 'smtpd_discard_ehlo_keywords'],
      },
      data: { differences },
    },
  ]
}

/** Only SIZE has a value that matters. */
function offerOf(keyword: string, extensions: ReadonlyMap<string, string>): string {
  if (!extensions.has(keyword)) return 'absent'
  return keyword === 'SIZE' ? `${sizeOf(extensions) ?? 'unsaid'}` : 'present'
}

function describe(keyword: string, extensions: ReadonlyMap<string, string>): string {
  if (!extensions.has(keyword)) return `no ${keyword}`
  const bytes = keyword === 'SIZE' ? sizeOf(extensions) : undefined
  return bytes === undefined ? keyword : `${keyword} ${bytes}`
}
