/**
 * A message's story in plain lines: what the log says of it, event by event, and what the hold knows of it now. Pure, for `trace`. Events that have no
 * sentence here are told with their fields.
 */
import { printable } from '../../base/printable.ts'
import { shortLengthText } from '../../base/time-text.ts'
import type { ShowAnswer } from '../../gateway/operate/queue-shapes.ts'
import { bold, counted, dueText, momentText, sizeText, stateWords } from '../queue/words.ts'
import type { LogLine } from './log-search.ts'

type Fields = Readonly<Record<string, unknown>>

/** @param held  undefined: not held now, or the hold cannot be asked */
export function storyText(id: string, lines: readonly LogLine[], held: ShowAnswer | undefined, nowMs: number): string {
  const told: { readonly atMs: number; readonly text: string }[] = lines.map(({ time, event, fields }) => ({
    atMs: Date.parse(time),
    text: sentence(event, fields, id),
  }))
  const isReceivedTold = lines.some(({ fields }) => fields.client !== undefined)
  if (held && !isReceivedTold) told.push({ atMs: held.receivedMs, text: receivedText(held) })
  for (const { atMs, backend, outcome, text } of held?.attempts ?? []) {
    // The log tells of the same attempt in the same moment.
    if (lines.some((line) => Math.abs(Date.parse(line.time) - atMs) < sameMomentMs && hasReply(line, text))) continue
    told.push({ atMs, text: `${by(backend)} ${outcomeWords[outcome] ?? printable(outcome)}: ${printable(text)}` })
  }
  const story = told
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `  ${Number.isNaN(atMs) ? '?'.padEnd(20) : momentText(atMs)}  ${text}\n`)
  return `${bold(printable(id))}\n${story.join('')}${nowText(held, nowMs)}`
}

const sameMomentMs = 2_000

const outcomeWords: Readonly<Record<string, string>> = {
  delivered: 'took it',
  refused: 'refused it',
  deferred: 'could not take it',
  unknown: 'fell silent behind the final dot, and may have it',
  failed: 'was to be asked, and Waypost failed',
}

const hasReply = ({ event, fields }: LogLine, text: string) =>
  (event in troubleWords && text.includes(String(fields.reply ?? fields.why))) ||
  fields.reply === text ||
  fields.why === text ||
  text === `late: ${String(fields.reply)}`

function receivedText({ client, from, size, recipients, recipientCount }: ShowAnswer): string {
  const origin = client
    ? `came from ${printable(client.hello, 255)} (${printable(client.address)})`
    : 'was written here'
  return `${origin}, ${envelopeText(from, recipients.map(({ to }) => to).slice(0, 3), recipientCount)}, ${sizeText(size)}; it was held`
}

function nowText(held: ShowAnswer | undefined, nowMs: number): string {
  if (!held) return ''
  const lines = held.recipients.map(
    ({ to, state, nextMs }) =>
      `    ${printable(to, 400)}: ${state}, ${stateWords[state]}${nextMs === null ? '' : `, next ${dueText(nextMs, nowMs)}`}\n`,
  )
  return `  It is held now, for another ${shortLengthText(held.expiresMs - nowMs)} at most:\n${lines.join('')}`
}

const text = (value: unknown, most = 400): string =>
  value === undefined ? '' : printable(typeof value === 'string' ? value : JSON.stringify(value), most)

const by = (backend: unknown) => (typeof backend === 'string' ? text(backend) : 'no backend')

const quoted = (value: unknown) => `"${text(value, 600)}"`

function envelopeText(from: unknown, to: unknown, count?: number): string {
  const all = Array.isArray(to) ? to : [to]
  const named = all.slice(0, 3).map((each) => text(each))
  const others = (count ?? all.length) - named.length
  return `sent by ${from === '' ? '<>' : text(from)} to ${named.join(', ')}${others > 0 ? ` and ${counted(others, 'other')}` : ''}`
}

/** Before its verdict: who handed it to us. */
const came = (fields: Fields) =>
  `came from ${text(fields.client)}, ${envelopeText(fields.from, fields.to)}, ${sizeText(Number(fields.size) || 0)}`

/** Of a message that went several ways, each way has its line, and the sender heard one answer for all of them. */
const heard = ({ reply, senderHeard }: Fields) =>
  senderHeard === undefined
    ? `the sender heard ${quoted(reply)}`
    : `the answer was ${quoted(reply)}, and for all its recipients together the sender heard ${text(senderHeard)}`

const after = (fields: Fields) =>
  fields.heldMs === undefined ? '' : `, after ${shortLengthText(Number(fields.heldMs) || 0)} in the hold`

const to = (fields: Fields) => envelopeText(fields.from, fields.to).replace(/^sent by .*? to /, '')

function sentence(event: string, fields: Fields, id: string): string {
  // It is the notice that this line names, and not the message.
  if (typeof fields.notice === 'string' && fields.notice.startsWith(id) && fields.id !== fields.notice)
    return `was written to tell a sender of ${text(fields.id)}: ${text(event)}`
  const isFirst = fields.client !== undefined
  const known = (isFirst ? firstWords[event] : undefined) ?? laterWords[event]
  if (known) return known(fields)
  const { id: _id, level: _level, ...others } = fields
  const rest = Object.entries(others).map(([key, value]) => `${text(key)}=${text(value)}`)
  return [text(event), ...rest].join(' ')
}

type Words = Readonly<Record<string, (fields: Fields) => string>>

/** Lines about the sender's own transaction. */
const firstWords: Words = {
  delivered: (fields) =>
    `${came(fields)}; ${by(fields.backend)} took it while the sender waited (${text(fields.ms)} ms); ${heard(fields)}`,
  held: (fields) =>
    `${came(fields)}; ${fields.backend === undefined ? 'no backend could take it' : `${by(fields.backend)} could not take it`}, so it was held; ${heard(fields)}`,
  refused: (fields) => `${came(fields)}; ${by(fields.backend)} refused it; ${heard(fields)}`,
  deferred: (fields) => `${came(fields)}; it was not taken now; ${heard(fields)}`,
  'recipient refused': (fields) =>
    `${text(fields.client)} asked for ${text(fields.to)}, who was refused; ${heard(fields)}`,
  'recipient deferred': (fields) =>
    `${text(fields.client)} asked for ${text(fields.to)}, who was not taken now; ${heard(fields)}`,
  'message refused': (fields) => `came from ${text(fields.client)} and was refused: ${text(fields.why)}`,
  'message not held': (fields) => `came from ${text(fields.client)} and could not be held: ${text(fields.why)}`,
  'delivered before': (fields) =>
    `came again from ${text(fields.client)}, had been delivered before, and was not delivered twice`,
}

const stepNames: Readonly<Record<string, string>> = {
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  dot: 'the final dot',
}

/** A backend that has been asked about one message twice is told of twice, so each says when it was. */
const whenText = ({ when }: Fields) => (when === undefined ? '' : ` (asked ${text(when)})`)

const troubleWords: Words = {
  'backend cannot take it': (fields) =>
    `${by(fields.backend)} said at ${stepNames[String(fields.step)] ?? text(fields.step)}: ${quoted(fields.reply)}${whenText(fields)}`,
  'backend session lost': (fields) => `${by(fields.backend)} ${text(fields.why)}${whenText(fields)}`,
}

const laterWords: Words = {
  ...troubleWords,
  'backend refuses us': (fields) =>
    `${by(fields.backend)} refuses Waypost itself${fields.reply === undefined ? '' : `: ${quoted(fields.reply)}`}`,
  'outcome unknown': (fields) =>
    `${by(fields.backend)} fell silent behind the final dot and may have it: ${text(fields.why)}`,
  'late verdict': (fields) => `${by(fields.backend)} answered late: ${quoted(fields.reply)}`,
  'held attempt': (fields) => `${by(fields.backend)} was asked for ${to(fields)}: ${quoted(fields.reply)}`,
  drained: (fields) => `${by(fields.backend)} took it for ${to(fields)}${after(fields)}: ${quoted(fields.reply)}`,
  refused: (fields) => `${by(fields.backend)} refused it for ${to(fields)}${after(fields)}: ${quoted(fields.reply)}`,
  'refused after hold': (fields) =>
    `${text(fields.to)} was refused after the sender had heard 250: ${fields.told === true ? `the sender was told by notice ${text(fields.notice)}` : `nobody was told, and it is kept for a person (${text(fields.why)})`}`,
  'delay told': (fields) => `the sender was told that it waits, by notice ${text(fields.notice)}`,
  'success told': (fields) => `the sender was told that it was delivered, by notice ${text(fields.notice)}`,
  'success not told': (fields) => `the sender was not told that it was delivered: ${text(fields.why)}`,
  expired: (fields) =>
    `its time was over for ${text(fields.to)} after ${counted(Number(fields.attempts) || 0, 'attempt')}: ${fields.told === true ? `the sender was told by notice ${text(fields.notice)}` : `nobody was told (${text(fields.why)})`}`,
  'kept mail thrown away': (fields) => `it had been kept for a person long enough, and is gone for ${to(fields)}`,
  'held message set aside': () => 'it was set aside, because attempts at it failed by a fault of Waypost',
  'attempt failed': () => 'an attempt failed by a fault of Waypost',
  'held message is damaged': (fields) => `what is stored is not what came: ${text(fields.why)}`,
  'tried again by a person': (fields) => `a person had it tried again for ${to(fields)}`,
  'held by a person': (fields) => `a person kept it back for ${to(fields)}`,
  'released by a person': (fields) => `a person let it go again for ${to(fields)}`,
  'sent another way by a person': (fields) => `a person sent it another way for ${to(fields)}: ${text(fields.way)}`,
  'removed by a person': (fields) => `a person removed it for ${to(fields)}`,
  'exported and removed by a person': () => 'a person moved it to a folder',
  'imported by a person': (fields) => `a person took it in from a folder, ${envelopeText(fields.from, fields.to)}`,
}
