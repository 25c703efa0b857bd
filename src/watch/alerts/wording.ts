/**
 * An alert in words: the subject of a mail, the text of a mail or chat, and the JSON that webhooks and programs get. Pure. Everything in it is printable
 * already; what a chat would take for markup is taken out here.
 */

import { printable } from '../../base/printable.ts'
import { lengthText, timeText } from '../../base/time-text.ts'
import { type Severity, severities } from '../../checks/finding.ts'
import type { AlertMessage } from './alerting.ts'
import type { Recovered, Told } from './open-conditions.ts'

/** What this gateway calls itself, so that who has several knows which one speaks. */
export interface Speaker {
  readonly hostname: string
}

/** @returns the message as one channel hears it, or undefined where nothing of it is severe enough */
export function heardFrom(message: AlertMessage, least: Severity): AlertMessage | undefined {
  const isHeard = ({ severity }: { readonly severity: Severity }) =>
    severities.indexOf(severity) >= severities.indexOf(least)
  const heard = {
    ...message,
    alerts: message.alerts.filter(({ condition }) => isHeard(condition)),
    reminders: message.reminders.filter(({ condition }) => isHeard(condition)),
    recoveries: message.recoveries.filter(({ condition }) => isHeard(condition)),
    notes: message.notes.filter(isHeard),
  }
  const { alerts, reminders, recoveries, notes } = heard
  return alerts.length + reminders.length + recoveries.length + notes.length === 0 ? undefined : heard
}

/** One line: what is worst, and how much more there is. */
export function subjectOf({ alerts, reminders, recoveries, notes }: AlertMessage, { hostname }: Speaker): string {
  const [first] = [
    ...alerts.map(({ condition }) => condition.title),
    ...notes.map(({ title }) => title),
    ...reminders.map(({ condition }) => `still: ${condition.title}`),
    ...recoveries.map(nowText),
  ]
  const more = alerts.length + reminders.length + recoveries.length + notes.length - 1
  return printable(`[waypost ${hostname}] ${first ?? ''}${more > 0 ? ` (and ${more} more)` : ''}`, 200)
}

/** A block of text has so many entries; the rest is counted. */
const mostEntries = 50

export function textOf(message: AlertMessage): string {
  const { alerts, reminders, recoveries, notes } = message
  const blocks = [
    ...limited(alerts, toldText),
    ...limited(
      notes,
      ({ severity, title, detail, atMs }) => `${severity}: ${title} (${timeText(atMs)})\n${indented(detail)}`,
    ),
    ...limited(recoveries, recoveredText),
    ...limited(reminders, (told) => `still, ${sinceText(told)}: ${told.condition.title}`),
  ]
  return `${blocks.join('\n\n')}\n`
}

function limited<Each>(list: readonly Each[], text: (each: Each) => string): string[] {
  const shown = list.slice(0, mostEntries).map(text)
  return list.length > mostEntries ? [...shown, `… and ${list.length - mostEntries} more`] : shown
}

function toldText(told: Told): string {
  const { severity, title, detail, remedy } = told.condition
  const lines = [`${severity}: ${title} (${sinceText(told)})`, indented(detail)]
  if (remedy !== undefined) lines.push(indented(`What to do: ${remedy}`))
  return lines.filter((line) => line.trim() !== '').join('\n')
}

const sinceText = ({ sinceMs, firstMs }: Told) =>
  `since ${timeText(sinceMs)}${firstMs === undefined ? '' : `, again; the first time at ${timeText(firstMs)}`}`

function recoveredText(recovered: Recovered): string {
  const { condition, sinceMs, firstMs = sinceMs, untilMs, returns } = recovered
  const flapped = returns > 0 ? `, coming back ${returns} ${returns === 1 ? 'time' : 'times'} meanwhile` : ''
  const length = `${timeText(firstMs)} to ${timeText(untilMs)}, ${lengthText(untilMs - firstMs)}`
  return `${nowText(recovered)}\n  before: ${condition.title} (${length}${flapped})`
}

/** What is right now. What an earlier version cleared says only what is over. */
export const nowText = ({ condition, now }: Pick<Recovered, 'condition' | 'now'>): string =>
  now ?? `over: ${condition.title}`

const indented = (text: string) =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')

/** The body of a webhook of the form `json`, and what programs read: documented in docs/watching.md, so keys stay. */
export function jsonOf(message: AlertMessage, speaker: Speaker): unknown {
  const { atMs, alerts, reminders, recoveries, notes } = message
  return {
    version: 1,
    source: 'waypost',
    hostname: speaker.hostname,
    at: iso(atMs),
    subject: subjectOf(message, speaker),
    alerts: alerts.map(toldJson),
    reminders: reminders.map(toldJson),
    recoveries: recoveries.map((each) => ({
      ...toldJson(each),
      now: nowText(each),
      until: iso(each.untilMs),
      returns: each.returns,
    })),
    notes: notes.map(({ key, kind, severity, domain, title, detail, atMs: at }) => ({
      key,
      kind,
      severity,
      domain: domain ?? null,
      title,
      detail,
      at: iso(at),
    })),
  }
}

const toldJson = ({
  condition: { key, kind, severity, domain, title, detail, remedy },
  sinceMs,
  firstMs = sinceMs,
}: Told) => ({
  key,
  kind,
  severity,
  domain: domain ?? null,
  title,
  detail,
  remedy: remedy ?? null,
  since: iso(sinceMs),
  first: iso(firstMs),
})

const iso = (ms: number) => new Date(ms).toISOString()

const mostChatLength = 3_500

/** Slack's text: `&`, `<` and `>` are what it reads as markup, and a code block keeps `*` and `@channel` from meaning anything. */
export function slackOf(message: AlertMessage, speaker: Speaker): unknown {
  const escaped = (text: string) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('```', "'''")
  return { text: `${escaped(subjectOf(message, speaker))}\n\`\`\`\n${escaped(cut(textOf(message)))}\`\`\`` }
}

/** Matrix: plain text alone, of which nothing is performed. `m.notice` wakes no other bot. */
export function matrixOf(message: AlertMessage, speaker: Speaker): unknown {
  return { msgtype: 'm.notice', body: `${subjectOf(message, speaker)}\n\n${cut(textOf(message))}` }
}

const cut = (text: string) => (text.length > mostChatLength ? `${text.slice(0, mostChatLength)}…\n` : text)
