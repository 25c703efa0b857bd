/** A report of a check as the page shows it. Pure. */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import type { DomainReport } from '../../checks/report/domain-report.ts'
import { subjectText } from '../../checks/report/text.ts'
import type { CheckedState } from '../../watch/checked-state.ts'

export const findingShape = z.object({
  id: z.string().describe('The rule; /api/docs/checks/{id} has its page.'),
  severity: z.enum(['notice', 'warning', 'error']),
  title: z.string(),
  subject: z.string(),
  seen: z.string(),
  why: z.string(),
  rfc: z.array(z.string()),
  remedy: z.object({ text: z.string(), lines: z.array(z.string()) }),
  sinceMs: z.number().optional().describe('When the watch found it first.'),
})
export type FindingShown = z.output<typeof findingShape>

export const foundShape = z.object({
  domain: z.string(),
  atMs: z.number(),
  headline: z.string(),
  /** arrives, arrives-in-part, does-not-arrive, way-in-order, takes-no-mail, no-such-domain, unknown */
  state: z.string(),
  findings: z.array(findingShape),
  notChecked: z.array(z.object({ title: z.string(), why: z.string() })),
})
export type Found = z.output<typeof foundShape>

/** @param atMs  when it was started, for one that could not be examined */
export function foundOf(report: DomainReport, atMs: number): Found {
  if (report.kind === 'unexamined')
    return {
      ...{ domain: printable(report.domain, 300), atMs, headline: report.why, state: 'unknown' },
      ...{ findings: [], notChecked: [] },
    }
  const { summary, findings, notChecked, checked } = report
  return {
    domain: report.domain,
    atMs: checked.facts.startedAtMs,
    headline: summary.headline,
    state: summary.state,
    findings: findings.map(({ id, severity, title, subject, seen, why, rfc, remedy }) => ({
      ...{ id, severity, title, seen, why },
      subject: subjectText(subject),
      rfc: [...rfc],
      remedy: { text: remedy.text, lines: [...(remedy.records ?? []), ...(remedy.settings ?? [])] },
    })),
    notChecked: notChecked.slice(0, 200).map(({ title, why }) => ({ title, why })),
  }
}

/** What the watch saw the last time. */
export function foundByWatch(domain: string, { atMs, findings, notChecked, couldExamine }: CheckedState): Found {
  const wrong = findings.filter(({ severity }) => severity !== 'notice').length
  const left = notChecked > 0 ? `; ${notChecked} ${notChecked === 1 ? 'point' : 'points'} could not be checked` : ''
  const words = !couldExamine
    ? 'whether mail arrives could not be told'
    : wrong === 0
      ? 'nothing was found that is wrong'
      : `${wrong} ${wrong === 1 ? 'thing is not as it' : 'things are not as they'} should be`
  return {
    domain,
    atMs,
    headline: `${words[0]?.toUpperCase()}${words.slice(1)}${left}.`,
    state: couldExamine && wrong === 0 ? 'way-in-order' : 'unknown',
    findings: findings.map(({ id, severity, title, seen, why, remedy, sinceMs }) => {
      const [text = '', ...lines] = remedy.split('\n')
      return { id, severity, title, subject: '', seen, why, rfc: [], remedy: { text, lines }, sinceMs }
    }),
    notChecked: [],
  }
}
