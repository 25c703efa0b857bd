/**
 * What becomes of a domain's mail now, in one word with its reason: from the health of its backends, what is held, and what it is to do when nobody
 * answers. Pure; `now.ts` asks.
 */
import type { BackendReport } from '../../gateway/backends/report.ts'
import { type Standing, standingOf, standingText } from '../../gateway/backends/standing.ts'
import type { Route } from '../../routing/backend.ts'
import type { HoldPolicy } from '../../routing/hold-policy.ts'

export const mailStates = ['flows', 'degraded', 'holding', 'failing'] as const

/**
 * - `flows`: its mail reaches a backend, and all of them are well.
 * - `degraded`: it reaches one, and something is out of order beside it.
 * - `holding`: nobody takes it, so it is kept here.
 * - `failing`: nobody takes it, and nothing keeps it: senders are asked to come again.
 */
export type MailState = (typeof mailStates)[number]

export interface StateOfDomain {
  readonly state: MailState
  /** A sentence or two; empty where there is nothing to say. */
  readonly why: string
  /** Held mail is being delivered. */
  readonly isDraining: boolean
}

export interface DomainFacts {
  readonly route: Pick<Route, 'entries'>
  readonly hold: Pick<HoldPolicy, 'holdMs'>
  /** Nothing can be held at all, and why; empty where there is no hold. */
  readonly whyNotKept: string | undefined
  /** Of its backends, by URL. */
  readonly reports: ReadonlyMap<string, readonly BackendReport[]>
  /** Why nobody is asked although somebody may be up: by its MX, as mail met it last. */
  readonly misconfigured: string | undefined
  /** Messages that are on their way as soon as somebody takes them. */
  readonly waiting: number
  /** Drains that wait for a person, by backend: why. */
  readonly stopped: ReadonlyMap<string, string>
  /** What a backend is called before these eyes. */
  readonly label: (url: string) => string
}

export function mailState(facts: DomainFacts): StateOfDomain {
  const { route, misconfigured, waiting, stopped, label } = facts
  if (misconfigured !== undefined)
    return {
      state: 'failing',
      why: sentence([misconfigured, 'nothing is held for it, and senders are asked to come again (451 4.3.5)']),
      isDraining: false,
    }
  const backends = route.entries.map(({ backend, preference }) => ({
    url: backend.url,
    preference,
    standing: standingOf(facts.reports.get(backend.url) ?? []),
  }))
  const serving = backends.filter(({ standing }) => standing.serves)
  if (serving.length === 0) return withoutBackend(facts, backends)

  const troubled = backends.filter(({ standing }) => standing.worst !== 'up')
  // What is suspect gets mail only while none is up.
  const up = serving.filter(({ standing }) => standing.isUp)
  const bestServing = Math.min(...(up.length > 0 ? up : serving).map(({ preference }) => preference))
  const isSpare = backends.some(({ preference }) => preference < bestServing)
  const halted = backends.flatMap(({ url }) => {
    const why = stopped.get(url)
    return why === undefined ? [] : [`the drain to ${label(url)} is stopped: ${why}`]
  })
  const isDraining = waiting > 0 && halted.length === 0
  const reasons = [
    ...(troubled.length > 0 ? [troubleText(troubled, backends.length, label)] : []),
    ...(isSpare ? ['a spare takes the mail'] : []),
    ...halted,
  ]
  const drainText = isDraining ? [`${count(waiting, 'held message')} on the way`] : []
  return {
    state: reasons.length === 0 ? 'flows' : 'degraded',
    why: sentence([...reasons, ...drainText]),
    isDraining,
  }
}

interface Judged {
  readonly url: string
  readonly standing: Standing
}

function withoutBackend({ hold, whyNotKept, waiting, label }: DomainFacts, backends: readonly Judged[]): StateOfDomain {
  const isOut = backends.every(({ standing }) => standing.worst === 'out')
  const [only] = backends
  const who = isOut
    ? 'every backend is out of service'
    : backends.length === 1 && only
      ? `${label(only.url)} ${only.standing.worst === 'slow' ? 'is slow' : 'does not answer'}`
      : 'no backend answers'
  const isKept = whyNotKept === undefined && hold.holdMs > 0
  const consequence = isKept
    ? `mail is kept here until one does${waiting > 0 ? `: ${count(waiting, 'message')}` : ''}`
    : `${hold.holdMs > 0 && whyNotKept ? `${whyNotKept}, so ` : ''}senders are asked to come again`
  return { state: isKept ? 'holding' : 'failing', why: sentence([who, consequence]), isDraining: false }
}

function troubleText(troubled: readonly Judged[], all: number, label: (url: string) => string): string {
  const [first] = troubled
  if (!first) return ''
  if (troubled.length === 1)
    return `${label(first.url)} ${standingText(first.standing)}${all > 1 ? `, ${count(all - 1, 'other')} of its route ${all === 2 ? 'is' : 'are'} well` : ''}`
  return `${troubled.length} of ${all} backends are not well: ${troubled
    .slice(0, 3)
    .map(({ url, standing }) => `${label(url)} ${standingText(standing)}`)
    .join('; ')}`
}

export const count = (number: number, what: string): string =>
  `${number.toLocaleString('en')} ${what}${number === 1 ? '' : 's'}`

function sentence(parts: readonly string[]): string {
  const text = parts.join('; ')
  // A backend's URL stays as it is.
  const begins = /^[a-z]+ /.test(text) ? `${text[0]?.toUpperCase()}${text.slice(1)}` : text
  return text === '' ? '' : `${begins}.`
}
