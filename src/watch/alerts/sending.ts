/**
 * One message to one channel, in the end: tried, tried again with growing pauses, given up. Each channel has a line of its own, so that one that hangs
 * holds up no other, and none of them holds up the gateway: whoever hands a message in goes on at once.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { AlertMessage } from './alerting.ts'

/** A way to people. */
export interface Channel {
  /** For the log and for `--test-alert`: `mail to admin@example.net by mail.example.net:587`; no secret. */
  readonly name: string
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
  /** Takes it, and returns. */
  send(message: AlertMessage): void
  /** Resolves when everything that was taken has been tried once. */
  tried(): Promise<void>
  /** What is being tried comes to its end or is let go; nothing new begins. */
  stop(): void
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
export function createSending(channel: Channel, tries: number, { clock, random, log }: SendingDeps): Sending {
  const waiting: AlertMessage[] = []
  let isBusy = false
  let isStopped = false
  const whenTried: (() => void)[] = []
  let pause: { readonly timer: Timer; readonly over: () => void } | undefined

  async function work(): Promise<void> {
    isBusy = true
    for (let next = waiting.shift(); next && !isStopped; next = waiting.shift()) await deliver(next)
    isBusy = false
    allTried()
  }

  function allTried(): void {
    for (const resolve of whenTried.splice(0)) resolve()
  }

  async function deliver(message: AlertMessage): Promise<void> {
    for (let tried = 1; !isStopped; tried++) {
      const failed = await attempt(message)
      if (!failed) return log.info('alert sent', { channel: channel.name, tries: tried })
      const { why, isFinal } = failed
      if (isFinal || tried >= tries)
        return log.error('alert given up', { channel: channel.name, tries: tried, why, entries: entriesOf(message) })
      log.warn('alert not sent yet', { channel: channel.name, tries: tried, why })
      if (waiting.length === 0) allTried()
      await rest(jitter(Math.min(longestPauseMs, firstPauseMs * 3 ** (tried - 1)), 0.2, random))
    }
  }

  async function attempt(message: AlertMessage): Promise<Undelivered | undefined> {
    try {
      return await channel.deliver(message)
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
    send(message) {
      if (isStopped) return
      if (waiting.length >= mostWaiting) {
        const dropped = waiting.shift()
        log.error('alert dropped, too many wait', { channel: channel.name, entries: dropped ? entriesOf(dropped) : 0 })
      }
      waiting.push(message)
      if (!isBusy) void work()
    },
    tried: () => (isBusy ? new Promise((resolve) => void whenTried.push(resolve)) : Promise.resolve()),
    stop() {
      isStopped = true
      pause?.timer.cancel()
      pause?.over()
    },
  }
}

const entriesOf = ({ alerts, reminders, recoveries, notes }: AlertMessage) =>
  alerts.length + reminders.length + recoveries.length + notes.length
