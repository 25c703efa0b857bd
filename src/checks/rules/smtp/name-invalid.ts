/**
 * The names by which a server calls itself, in its greeting and in its answer to EHLO: each a host name that resolves. It need be neither the MX
 * name nor that of the reverse DNS. Page: docs/checks/smtp-name-invalid.md
 */
import { parseIp } from '../../../base/ip.ts'
import { printable } from '../../../base/printable.ts'
import { undecided, type Verdict } from '../../finding.ts'
import { isAbsent } from '../../read-facts.ts'
import { isAccepted, overVisits, ownNameIn, ownWordIn, undecidedHello, type Visit } from '../../read-sessions.ts'
import type { Rule } from '../../rule.ts'

export const smtpNameInvalid: Rule = {
  id: 'smtp-name-invalid',
  title: 'exchanger that calls itself by no valid name',
  rfc: ['RFC 5321 §2.3.5', 'RFC 5321 §4.1.1.1', 'RFC 5321 §4.2'],
  needs: ['smtp'],
  examine: (facts) => overVisits(facts, ofVisit),
}

function ofVisit(visit: Visit): readonly Verdict[] {
  const { subject, session, who, at } = visit
  if (!isAccepted(session.greeting) || !isAccepted(session.ehlo)) return [undecidedHello(visit)]
  if ('kind' in at.ownNames) return [undecided(subject, at.ownNames)]
  const words = [
    { place: 'greeting', word: ownWordIn(session.greeting), mayBeLiteral: true },
    { place: 'answer to EHLO', word: ownWordIn(session.ehlo), mayBeLiteral: false },
  ]
  const judged = words.map(({ place, word, mayBeLiteral }) => ({
    place,
    word,
    judgement: judge(word, mayBeLiteral, visit),
  }))
  const unknown = judged.find(({ judgement }) => judgement === 'unknown')
  const wrong = judged.filter(({ judgement }) => judgement !== 'unknown' && judgement !== 'fine')
  if (wrong.length === 0) {
    if (!unknown) return []
    return [
      {
        kind: 'undecided',
        subject,
        reason: 'lookup-failed',
        why: `It is not known whether "${printable(unknown.word, 100)}" exists.`,
      },
    ]
  }
  const told = wrong.map(
    ({ place, word, judgement }) => `in its ${place} "${printable(word, 100)}", which ${judgement}`,
  )
  return [
    {
      kind: 'fault',
      severity: 'notice',
      subject,
      seen: `${who} calls itself ${told.join(', and ')}.`,
      why: 'A server says its full name there. Mail flows without, but some filters and many people use the name to find out whom they talk to.',
      remedy: {
        text: 'Let the server call itself by a full host name that has an address.',
        settings: [`myhostname = ${visit.exchanger.host ?? 'mail.example.com'}`, 'smtpd_banner = $myhostname ESMTP'],
      },
      data: { names: wrong.map(({ word }) => word.slice(0, 255)) },
    },
  ]
}

function judge(word: string, mayBeLiteral: boolean, { at }: Visit): string {
  if (word === '') return 'is no name at all'
  if (isLiteral(word)) return mayBeLiteral ? 'fine' : 'is an address where a name belongs'
  const own = ownNameIn(word)
  if (own === undefined) return 'is no host name'
  if (!own.includes('.')) return 'is one label and not a full name'
  const known = 'kind' in at.ownNames ? undefined : at.ownNames.find(({ name }) => name === own)
  if (!known) return 'unknown'
  if (known.a.kind === 'answer' || known.aaaa.kind === 'answer') return 'fine'
  return isAbsent(known.a) && isAbsent(known.aaaa) ? 'has no address' : 'unknown'
}

/** RFC 5321 §4.1.3 */
const isLiteral = (word: string) => parseIp(/^\[(?:IPv6:)?([^\]]+)\]$/i.exec(word)?.[1] ?? '') !== undefined
