/**
 * Where whole lines of the log go, standard error or a file: many lines a write, because a write for each costs more than the line itself,
 * and behind the scenes, because a pipe that nobody reads must not stop the mail. One write is under way at a time, so that each line stands
 * there once, and in order. Used by `process.ts` and `log-file.ts`.
 */
import { close, openSync, write, writeSync } from 'node:fs'
import type { Clock, Timer } from '../base/clock.ts'

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
/** Until what was full is tried again. */
const retryMs = 20

/**
 * @param to  the path of a file, made where it is missing and readable by its owner alone, or a file descriptor
 * @param onError  writing failed: a full disk, a reader that has gone. It is tried again with the next lines
 * @throws the system's error, where the file cannot be opened
 */
export function createLineOutput(to: string | number, clock: Clock, onError: () => void): LineOutput {
  let file = typeof to === 'string' ? openFile(to) : to
  let untilMs = Number.POSITIVE_INFINITY
  let state: 'open' | 'ending' | 'over' = 'open'
  let lines = ''
  /** Taken out of `lines`, and not known to be written. */
  let chunk: Buffer | undefined
  /** A thread is at work on the chunk. */
  let isWriting = false
  let isMoved = false
  let timer: Timer | undefined
  let waiting: (() => void)[] = []

  const isRetried = (error: NodeJS.ErrnoException) => error.code === 'EAGAIN' && clock.monotonicMs() < untilMs

  /** Begins to write, unless that is being done. */
  function hand(): void {
    if (isWriting || state === 'over') return
    timer?.cancel()
    timer = undefined
    if (!chunk && lines === '') {
      settle()
      return
    }
    if (!chunk) {
      chunk = Buffer.from(lines)
      lines = ''
    }
    isWriting = true
    write(file, chunk, 0, chunk.length, null, written)
  }

  function written(error: NodeJS.ErrnoException | null, octets: number): void {
    isWriting = false
    if (isMoved) openAnew()
    if (error) {
      failed(error)
      return
    }
    chunk = chunk && octets < chunk.length ? chunk.subarray(octets) : undefined
    const isWanted = chunk !== undefined || lines.length >= enough || waiting.length > 0 || state === 'ending'
    if (isWanted) hand()
    else if (lines !== '') handSoon(flushMs)
  }

  function failed(error: NodeJS.ErrnoException): void {
    if (isRetried(error)) {
      handSoon(retryMs)
      return
    }
    onError()
    if (state === 'ending' || untilMs < Number.POSITIVE_INFINITY) giveUp()
    else tellFlushed()
  }

  function handSoon(delayMs: number): void {
    timer ??= clock.after(delayMs, () => {
      timer = undefined
      hand()
    })
  }

  /** Nothing is left. */
  function settle(): void {
    if (state === 'ending') giveUp()
    else tellFlushed()
  }

  function tellFlushed(): void {
    const all = waiting
    waiting = []
    for (const resolve of all) resolve()
  }

  function giveUp(): void {
    state = 'over'
    chunk = undefined
    lines = ''
    letGo(file)
    tellFlushed()
  }

  function letGo(descriptor: number): void {
    if (typeof to === 'string') close(descriptor, () => undefined)
  }

  function openAnew(): void {
    isMoved = false
    if (typeof to !== 'string' || state === 'over') return
    try {
      const anew = openFile(to)
      letGo(file)
      file = anew
    } catch {
      onError()
    }
  }

  function writeAllSync(octets: Buffer): void {
    for (let left = octets; left.length > 0; ) {
      try {
        left = left.subarray(writeSync(file, left))
      } catch (error) {
        if (!isRetried(error as NodeJS.ErrnoException)) throw error
        pause(retryMs)
      }
    }
  }

  return {
    write(line) {
      if (state !== 'open' || lines.length + (chunk?.length ?? 0) + line.length > mostWaiting) return
      lines += line
      if (lines.length >= enough) hand()
      else if (!isWriting) handSoon(flushMs)
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
      const octets = Buffer.concat([...(chunk && !isWriting ? [chunk] : []), Buffer.from(lines)])
      lines = ''
      if (!isWriting) chunk = undefined
      try {
        writeAllSync(octets)
      } catch (error) {
        giveUp()
        throw error
      }
    },
    hurry(withinMs) {
      untilMs = Math.min(untilMs, clock.monotonicMs() + withinMs)
    },
    reopen() {
      isMoved = true
      if (!isWriting) openAnew()
    },
    end() {
      if (state !== 'open') return
      state = 'ending'
      hand()
    },
  }
}

const openFile = (path: string): number => openSync(path, 'a', 0o600)

/** Only for the last moment of a process: nothing else happens meanwhile. */
function pause(delayMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs)
}
