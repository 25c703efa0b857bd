/**
 * What a channel was handed and is not known to have heard, kept in the store from before the first try until it went, was given up or dropped: so that a process
 * that is killed forgets none of it, and its next one sends it, once. Made by `watch`, used by `broadcast`.
 */
import { type Clock, within } from '../../base/clock.ts'
import type { AlertMessage } from './alerting.ts'

/** A message on its way to one channel. */
export interface UnsentMessage {
  readonly message: AlertMessage
  /** Resolves when it is on disk, or cannot be soon. */
  readonly written: Promise<void>
  /** It is with the channel, or never will be. */
  over(): void
}

export interface Unsent {
  /** @param channel  the same after a restart */
  keep(channel: string, message: AlertMessage): UnsentMessage
  /** What an earlier process left, as one message a channel, so that no storm of them comes. Once. */
  left(): ReadonlyMap<string, UnsentMessage>
}

export interface UnsentRow {
  readonly id: string
  readonly channel: string
  /** JSON of an `AlertMessage`. */
  readonly value: string
}

/** What `history` does for it. Neither rejects. */
export interface UnsentRows {
  keepUnsent(row: UnsentRow): Promise<void>
  sent(ids: readonly string[]): Promise<void>
}

/** No alert waits longer for a disk, which may be what it is about. */
const longestWriteMs = 5_000
/** Entries of a kind that a row has: of a hundred thousand findings the worst. */
const mostEntries = 1_000

/** @param before  in the order in which they were kept */
export function createUnsent(
  before: readonly UnsentRow[],
  { clock, rows, newId }: { readonly clock: Clock; readonly rows: UnsentRows; readonly newId: () => string },
): Unsent {
  let leftRows = before

  return {
    keep(channel, message) {
      const id = newId()
      const row = { id, channel, value: JSON.stringify(shortened(message)) }
      const written = within(rows.keepUnsent(row), clock.monotonicMs() + longestWriteMs, clock)
      return { message, written, over: () => void rows.sent([id]) }
    },
    left() {
      const byChannel = Map.groupBy(leftRows, ({ channel }) => channel)
      leftRows = []
      return new Map(
        [...byChannel].map(([channel, found]) => {
          const message = joined(found.map(({ value }) => JSON.parse(value) as AlertMessage))
          return [
            channel,
            { message, written: Promise.resolve(), over: () => void rows.sent(found.map(({ id }) => id)) },
          ]
        }),
      )
    },
  }
}

function shortened({ atMs, alerts, reminders, recoveries, notes }: AlertMessage): AlertMessage {
  return {
    atMs,
    alerts: alerts.slice(0, mostEntries),
    reminders: reminders.slice(0, mostEntries),
    recoveries: recoveries.slice(0, mostEntries),
    notes: notes.slice(0, mostEntries),
  }
}

/** Of what was told of one condition twice the last word counts. @param messages  oldest first, at least one */
export function joined(messages: readonly AlertMessage[]): AlertMessage {
  const lastOf = <Each extends { readonly condition: { readonly key: string } }>(list: readonly Each[]): Each[] => [
    ...new Map(list.map((each) => [each.condition.key, each])).values(),
  ]
  const alerts = lastOf(messages.flatMap((message) => message.alerts))
  const told = new Set(alerts.map(({ condition }) => condition.key))
  return {
    atMs: Math.max(...messages.map(({ atMs }) => atMs)),
    alerts,
    reminders: lastOf(messages.flatMap((message) => message.reminders)).filter(
      ({ condition }) => !told.has(condition.key),
    ),
    recoveries: lastOf(messages.flatMap((message) => message.recoveries)),
    notes: [
      ...new Map(messages.flatMap(({ notes }) => notes.map((note) => [`${note.atMs} ${note.key}`, note]))).values(),
    ],
  }
}
