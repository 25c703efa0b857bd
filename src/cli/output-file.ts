/**
 * A file, or a descriptor, that lines are written to: by a thread, one write at a time, or before anything else happens. It may be moved away, and a pipe
 * may be full. For `line-output.ts`.
 */
import { close, openSync, write, writeSync } from 'node:fs'
import type { Clock } from '../base/clock.ts'

export interface OutputFile {
  /** Begins to write; not while `isWriting`. */
  write(octets: Buffer, written: (error: NodeJS.ErrnoException | null, octets: number) => void): void
  /** A thread is at work. */
  readonly isWriting: boolean
  /** Writes all of it before it returns. Throws where that fails. */
  writeSync(octets: Buffer): void
  /** Whether what has failed may go when it is tried again after `retryMs`. */
  isRetried(error: NodeJS.ErrnoException): boolean
  hurry(withinMs: number): void
  readonly isHurried: boolean
  /** Opens the file anew, once no write is under way. */
  reopen(): void
  letGo(): void
}

/** Until what was full is tried again. */
export const retryMs = 20

/**
 * @param to  the path of a file, made where it is missing and readable by its owner alone, or a file descriptor
 * @param onError  it could not be opened anew
 * @throws the system's error, where the file cannot be opened
 */
export function createOutputFile(to: string | number, clock: Clock, onError: () => void): OutputFile {
  let file = typeof to === 'string' ? openFile(to) : to
  let untilMs = Number.POSITIVE_INFINITY
  let isWriting = false
  let isMoved = false
  let isLetGo = false

  const isRetried = (error: NodeJS.ErrnoException) => error.code === 'EAGAIN' && clock.monotonicMs() < untilMs

  function closeFile(): void {
    if (typeof to === 'string') close(file, () => undefined)
  }

  function openAnew(): void {
    isMoved = false
    if (typeof to !== 'string' || isLetGo) return
    try {
      const anew = openFile(to)
      closeFile()
      file = anew
    } catch {
      onError()
    }
  }

  return {
    write(octets, written) {
      isWriting = true
      write(file, octets, 0, octets.length, null, (error, count) => {
        isWriting = false
        if (isMoved) openAnew()
        written(error, count)
      })
    },
    get isWriting() {
      return isWriting
    },
    writeSync(octets) {
      for (let left = octets; left.length > 0; ) {
        try {
          left = left.subarray(writeSync(file, left))
        } catch (error) {
          if (!isRetried(error as NodeJS.ErrnoException)) throw error
          pause(retryMs)
        }
      }
    },
    isRetried,
    hurry(withinMs) {
      untilMs = Math.min(untilMs, clock.monotonicMs() + withinMs)
    },
    get isHurried() {
      return untilMs < Number.POSITIVE_INFINITY
    },
    reopen() {
      isMoved = true
      if (!isWriting) openAnew()
    },
    letGo() {
      isLetGo = true
      closeFile()
    },
  }
}

const openFile = (path: string): number => openSync(path, 'a', 0o600)

/** Only for the last moment of a process: nothing else happens meanwhile. */
function pause(delayMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs)
}
