/**
 * How far a run is, on standard error: of one domain what has been asked, of many a bar with rate and time left. Where nobody looks, a plain
 * line from time to time. Called by `check/run.ts`, the look-up of lists, and plans.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { roughSpanText } from '../base/time-text.ts'
import type { Progress as Waiting } from '../checks/collect/inquiry.ts'
import type { StatusLine, Terminal } from './terminal.ts'

export interface Progress {
  /** Takes the line away; it comes back by itself. */
  clear(): void
  end(): void
}

const everyMs = 150
const plainEveryMs = 30_000
/** What takes longer makes a person wonder. */
const plainFirstMs = 10_000

/** @param text  what to say now */
export function createProgress(
  text: () => string,
  status: StatusLine,
  terminal: Terminal,
  clock: Clock,
  isWanted: boolean,
): Progress {
  let timer: Timer | undefined
  const tick = (): void => {
    if (status.isShown) status.show(text())
    else terminal.err(`${text()}\n`)
    next(plainEveryMs)
  }
  const next = (plainMs: number): void => {
    timer = clock.after(status.isShown ? everyMs : plainMs, tick)
  }
  if (isWanted) next(plainFirstMs)
  return {
    clear: () => status.clear(),
    end() {
      timer?.cancel()
      status.clear()
    },
  }
}

/**
 * `███████░░░░░░░  41 %  4,100 domains, 82 a second, 1 min left`.
 * @param fraction  0–1, where it is known
 */
export function barText(done: number, fraction: number | undefined, tookMs: number): string {
  const perSecond = done / Math.max(0.001, tookMs / 1000)
  const rate = `${done.toLocaleString('en')} domain${done === 1 ? '' : 's'}, ${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString('en')} a second`
  if (fraction === undefined) return rate
  const full = Math.round(fraction * barWidth)
  const leftMs = fraction > 0 ? (tookMs / fraction) * (1 - fraction) : undefined
  const left = leftMs === undefined || done === 0 ? '' : `, ${roughSpanText(Math.ceil(leftMs / 1000))} left`
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)} ${String(Math.floor(fraction * 100)).padStart(3)} %  ${rate}${left}`
}

const barWidth = 24

/** `12 questions to DNS, 1 connection, 8.2 s; waiting for the name server 192.0.2.1, 6 s`. */
export function spentText({ queries, connections, waitsFor }: Waiting, tookMs: number, nowMs: number): string {
  const asked = `${queries} question${queries === 1 ? '' : 's'} to DNS, ${connections} connection${connections === 1 ? '' : 's'}`
  const wait = waitsFor()
  const waitMs = wait ? nowMs - wait.sinceMs : 0
  const told = wait && waitMs >= worthTellingMs ? `; waiting for ${wait.words}, ${Math.floor(waitMs / 1000)} s` : ''
  return `${asked}, ${(tookMs / 1000).toFixed(1)} s${told}`
}

/** Answers take a moment; what takes longer is what a person wonders about. */
const worthTellingMs = 2_000
