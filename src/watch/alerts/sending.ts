/**
 * One message to one channel, in the end: tried, tried again with growing pauses, given up. Each channel has a line of its own, so that one that hangs
 * holds up no other, and none of them holds up the gateway: whoever hands a message in goes on at once.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { Severity } from '../../checks/finding.ts'
import type { AlertMessage } from './alerting.ts'
import type { UnsentMessage } from './unsent.ts'
import { heardFrom } from './wording.ts'

/** A way to people. */
export interface Channel {
  /** For the log and for `--test-alert`: `mail to admin@example.net by mail.example.net:587`; no secret. */
  readonly name: string
  /** What is less severe, those behind it do not want to hear; `createSending` leaves it out. */
  readonly least: Severity
  /** Undefined: it heard. Rejects for bugs alone. Bounded in time. */
  deliver(message: AlertMessage): Promise<Undelivered | undefined>
}

export interface Undelivered {
  /** In words of ours, printable, without secrets. */
  readonly why: string
  /** It will say the same again: a wrong password, 404. */
  readonly isFinal: boolean
}

export interface Sending {
  /** Takes of it what is severe enough for the channel, and returns. It is over at once where none of it is. */
  send(kept: UnsentMessage): void
  /** Resolves when everything that was taken has been tried once. */
  tried(): Promise<void>
  /** Nothing new begins. @returns what it is not known to have got rid of, the oldest first: what is being tried may have been heard all the same */
  stop(): readonly UnsentMessage[]
}

export interface SendingDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const firstPauseMs = 10_000
const longestPauseMs = 30 * 60_000
/** Beyond it the oldest goes: who has heard nothing of a hundred messages wants the last ones. */
const mostWaiting = 100

/** @param tries  of each message, 1–20 */
export function createSending(channel: Channel, tries: number, deps: SendingDeps): Sending {
  const { clock, random, log } = deps
  const waiting: UnsentMessage[] = []
  let current: UnsentMessage | undefined
  let isBusy = false
  let isStopped = false
  const whenTried: (() => void)[] = []
  let pause: { readonly timer: Timer; readonly over: () => void } | undefined

  async function work(): Promise<void> {
    isBusy = true
    while (!isStopped) {
      current = waiting.shift()
      if (!current) break
      await deliver(current)
    }
    current = undefined
    isBusy = false
    allTried()
  }

  function allTried(): void {
    for (const resolve of whenTried.splice(0)) resolve()
  }

  async function deliver({ message, written, over }: UnsentMessage): Promise<void> {
    await written
    for (let tried = 1; !isStopped; tried++) {
      const failed = await attempt(message)
      if (!failed) {
        over()
        return log.info('alert sent', { channel: channel.name, tries: tried })
      }
      // Whoever stopped it has the message, and does with it what is to be done.
      if (isStopped) return
      const { why, isFinal } = failed
      if (isFinal || tried >= tries) {
        over()
        return log.error('alert given up', { channel: channel.name, tries: tried, why, entries: entriesOf(message) })
      }
      log.warn('alert not sent yet', { channel: channel.name, tries: tried, why })
      if (waiting.length === 0) allTried()
      await rest(jitter(Math.min(longestPauseMs, firstPauseMs * 3 ** (tried - 1)), 0.2, random))
    }
  }

  async function attempt(message: AlertMessage): Promise<Undelivered | undefined> {
    try {
      const heard = heardFrom(message, channel.least)
      return heard && (await channel.deliver(heard))
    } catch (error) {
      log.error('alert failed', { channel: channel.name, error })
      return { why: 'an error of our own; see the log', isFinal: true }
    }
  }

  function rest(ms: number): Promise<void> {
    return new Promise((over) => {
      pause = { timer: clock.after(ms, over), over }
    })
  }

  return {
    send(kept) {
      if (isStopped) return
      if (!heardFrom(kept.message, channel.least)) return kept.over()
      if (waiting.length >= mostWaiting) {
        const dropped = waiting.shift()
        dropped?.over()
        log.error('alert dropped, too many wait', {
          channel: channel.name,
          entries: dropped ? entriesOf(dropped.message) : 0,
        })
      }
      waiting.push(kept)
      if (!isBusy) void work()
    },
    tried: () => (isBusy ? new Promise((resolve) => void whenTried.push(resolve)) : Promise.resolve()),
    stop() {
      isStopped = true
      pause?.timer.cancel()
      pause?.over()
      return [...(current ? [current] : []), ...waiting.splice(0)]
    },
  }
}

export const entriesOf = ({ alerts, reminders, recoveries, notes }: AlertMessage) =>
  alerts.length + reminders.length + recoveries.length + notes.length
