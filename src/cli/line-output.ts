/**
 * Where whole lines of the log go, standard error or a file: many lines a write, because a write for each costs more than the line itself,
 * and behind the scenes, because a pipe that nobody reads must not stop the mail. One write is under way at a time, so that each line stands
 * there once, and in order. Used by `process.ts` and `log-file.ts`.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { createOutputFile, retryMs } from './output-file.ts'
import { UnwrittenLines } from './unwritten-lines.ts'

export interface LineOutput {
  /** Takes a whole line. What nobody takes is dropped, at 16 Mi characters, and not kept. */
  write(line: string): void
  /** Resolves when all that was taken is written, or given up. */
  flushed(): Promise<void>
  /**
   * Writes what there is before it returns, for the last moment of a process; `flushed` comes first where there is time. What a thread is writing at
   * that moment is left to it: the process waits for its threads. Throws where something cannot be written.
   */
  flushSync(): void
  /** A pipe whose reader is stuck is full for ever: from now on it is waited for no longer than this, and then it is an error. */
  hurry(withinMs: number): void
  /** Opens the file anew, once no write is under way: it may have been moved away. */
  reopen(): void
  /** Writes what there is and lets go. */
  end(): void
}

/** A line is written no later than this. */
const flushMs = 100
/** Characters that are collected for one write: handing them to a thread costs as much as making some twenty lines. */
const enough = 64 * 1024
const mostWaiting = 16 * 1024 * 1024

/**
 * @param to  the path of a file, made where it is missing and readable by its owner alone, or a file descriptor
 * @param onError  writing failed: a full disk, a reader that has gone. It is tried again with the next lines
 * @throws the system's error, where the file cannot be opened
 */
export function createLineOutput(to: string | number, clock: Clock, onError: () => void): LineOutput {
  const file = createOutputFile(to, clock, onError)
  const lines = new UnwrittenLines()
  let state: 'open' | 'ending' | 'over' = 'open'
  let timer: Timer | undefined
  let waiting: (() => void)[] = []

  /** Begins to write, unless that is being done. */
  function hand(): void {
    if (file.isWriting || state === 'over') return
    timer?.cancel()
    timer = undefined
    const chunk = lines.chunk()
    if (chunk) file.write(chunk, written)
    else if (state === 'ending') giveUp()
    else tellFlushed()
  }

  function written(error: NodeJS.ErrnoException | null, octets: number): void {
    if (error) {
      failed(error)
      return
    }
    lines.written(octets)
    const isWanted = lines.hasChunk || lines.behind >= enough || waiting.length > 0 || state === 'ending'
    if (isWanted) hand()
    else if (lines.behind > 0) handSoon(flushMs)
  }

  function failed(error: NodeJS.ErrnoException): void {
    if (file.isRetried(error)) {
      handSoon(retryMs)
      return
    }
    onError()
    if (state === 'ending' || file.isHurried) giveUp()
    else tellFlushed()
  }

  function handSoon(delayMs: number): void {
    timer ??= clock.after(delayMs, () => {
      timer = undefined
      hand()
    })
  }

  function tellFlushed(): void {
    const all = waiting
    waiting = []
    for (const resolve of all) resolve()
  }

  function giveUp(): void {
    state = 'over'
    lines.clear()
    file.letGo()
    tellFlushed()
  }

  return {
    write(line) {
      if (state !== 'open' || lines.size + line.length > mostWaiting) return
      lines.add(line)
      if (lines.behind >= enough) hand()
      else if (!file.isWriting) handSoon(flushMs)
    },
    flushed() {
      if (state === 'over') return Promise.resolve()
      return new Promise((resolve) => {
        waiting.push(resolve)
        hand()
      })
    },
    flushSync() {
      timer?.cancel()
      timer = undefined
      if (state === 'over') return
      try {
        file.writeSync(lines.takeAll(!file.isWriting))
      } catch (error) {
        giveUp()
        throw error
      }
    },
    hurry: file.hurry,
    reopen: file.reopen,
    end() {
      if (state !== 'open') return
      state = 'ending'
      hand()
    },
  }
}
