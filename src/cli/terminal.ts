/**
 * What commands write to: data on standard output, everything else on standard error. The one file that touches the two, which
 * `npm run check:imports` sees to: so whatever is written to them has been made safe. Tests hand in lists instead.
 */
import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { printable, printableLines } from '../base/printable.ts'

export interface Terminal {
  /** Data: what another program may read. Ends with its own newline. */
  out(text: string): void
  /** Everything else: problems, progress. Ends with its own newline. */
  err(text: string): void
}

/** Octets of a message, on their way to whatever reads standard output. */
export interface BytesOut {
  /** What is written there is seen by a terminal, which performs it. */
  readonly isTerminal: boolean
  /** As they are. Resolves when more can be taken. */
  write(bytes: Uint8Array): Promise<void>
}

/** What `process.exitCode` becomes: 0 fine, 1 something is wrong with what was examined, 2 could not do it, a fault of ours among the reasons, 3 a plan found changes. */
export type ExitCode = 0 | 1 | 2 | 3

/** Runs a command's work and keeps its exit code; what it throws is a bug or the system's refusal (`fault.ts`). */
export type Run = (work: (terminal: Terminal) => Promise<ExitCode>) => Promise<void>

/** This process's own. */
export const processTerminal: Terminal = {
  out: (text) => void process.stdout.write(printableLines(text)),
  err: (text) => void process.stderr.write(printableLines(text)),
}

export const processBytes: BytesOut = {
  get isTerminal() {
    return process.stdout.isTTY === true
  },
  write: (bytes) =>
    new Promise((done, failed) => {
      process.stdout.write(bytes, (error) => (error ? failed(error) : done()))
    }),
}

/** The same as `processTerminal.out`, and waits until it is taken: what writes without end must not keep it all in memory. */
export function writeOut(text: string): Promise<void> {
  if (process.stdout.write(printableLines(text))) return Promise.resolve()
  // One for all who wait.
  drained ??= new Promise((resolve) => {
    process.stdout.once('drain', () => {
      drained = undefined
      resolve()
    })
  })
  return drained
}

let drained: Promise<void> | undefined

/** How standard output is read: by a person in so many columns, or by a program. */
export function outShape(): { readonly isTerminal: boolean; readonly columns: number; readonly isColored: boolean } {
  const isTerminal = process.stdout.isTTY === true
  const isColored = isTerminal && !process.env.NO_COLOR
  return { isTerminal, columns: isTerminal ? process.stdout.columns : columnsOfPipes, isColored }
}

const columnsOfPipes = 100

/** One line on standard error that is written over again and again, where a person looks; elsewhere `show` does nothing. */
export interface StatusLine {
  readonly isShown: boolean
  show(text: string): void
  /** Takes it away, before anything else is written. */
  clear(): void
}

export function createStatusLine(): StatusLine {
  const isShown = process.stderr.isTTY === true
  let isThere = false
  return {
    isShown,
    show(text) {
      if (!isShown) return
      const room = Math.max(20, process.stderr.columns - 1)
      process.stderr.write(`\r${printable(text, 1000).slice(0, room)}\x1b[K`)
      isThere = true
    },
    clear() {
      if (isThere) process.stderr.write('\r\x1b[K')
      isThere = false
    },
  }
}

/** Lines at the end of standard output that are drawn again and again in place. */
export interface Panel {
  readonly columns: number
  readonly rows: number
  readonly isColored: boolean
  /** @param lines  each shorter than the terminal is wide; those that there is no room for are left out */
  draw(lines: readonly string[]): void
  /** What was drawn last stays, and what comes is written below. */
  end(): void
}

/** @returns undefined where standard output is no terminal, or one that cannot move its cursor */
export function createPanel(): Panel | undefined {
  const { stdout } = process
  if (!stdout.isTTY || process.env.TERM === 'dumb') return undefined
  let drawn = 0
  // A terminal of another size has wrapped or moved what is there: it is drawn anew from the top.
  const resized = () => {
    stdout.write('\x1b[2J\x1b[H')
    drawn = 0
  }
  const showCursor = () => void stdout.write('\x1b[?25h')
  stdout.on('resize', resized)
  process.once('exit', showCursor)
  stdout.write('\x1b[?25l')
  return {
    get columns() {
      return stdout.columns || 80
    },
    get rows() {
      return stdout.rows || 24
    },
    isColored: isOutColored(),
    draw(lines) {
      const shown = lines.slice(0, (stdout.rows || 24) - 1)
      const text = shown.map((line) => `${printableLines(line)}\x1b[K\n`).join('')
      stdout.write(`${drawn > 0 ? `\x1b[${drawn}A` : ''}\r${text}\x1b[J`)
      drawn = shown.length
    },
    end() {
      stdout.off('resize', resized)
      process.off('exit', showCursor)
      showCursor()
    },
  }
}

/** Single keys, as they are pressed. */
export interface Keys {
  /** One listener. Ctrl-C is `\x03`: it is no signal here. */
  onKey(listener: (key: string) => void): void
  end(): void
}

/** @returns undefined where standard input or output is no terminal: a pager that reads what we write wants the keys */
export function createKeys(): Keys | undefined {
  const { stdin, stdout } = process
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  let pressed: (key: string) => void = () => undefined
  const onData = (chunk: Buffer) => {
    for (const key of chunk.toString('latin1')) pressed(key)
  }
  stdin.setRawMode(true)
  stdin.on('data', onData)
  return {
    onKey(listener) {
      pressed = listener
    },
    end() {
      stdin.off('data', onData)
      stdin.setRawMode(false)
      stdin.pause()
    },
  }
}

/** `waypost … | head` ends us quietly; but for `serve`, which goes on with nobody to tell it to. */
export function endWhereNobodyReads(isService: boolean): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      if (!isService) process.exit(0)
    })
  }
}

/** Whether what is written on standard error may have colours. */
export const isErrColored = (): boolean => process.stderr.isTTY === true && !process.env.NO_COLOR

/** The same of standard output. */
export const isOutColored = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR

/** Nobody answered: a person went away from the question (Ctrl-C, Ctrl-D). What was asked about is not done. */
export class Unanswered extends Error {}

async function answerTo(question: string, lines: Interface): Promise<string> {
  const gone = new AbortController()
  lines.once('close', () => gone.abort())
  try {
    return await lines.question(question, { signal: gone.signal })
  } catch {
    throw new Unanswered('no answer was given')
  } finally {
    lines.close()
  }
}

/** Asks the person at the terminal; undefined where standard input or standard error is none. Anything but yes is no. */
export function createAsk(): ((question: string) => Promise<boolean>) | undefined {
  const askLine = createAskLine()
  return askLine && (async (question) => /^y(?:es)?$/i.test(await askLine(`${question} [y/N]`)))
}

/** The same for an answer in words, without blanks around it. */
export function createAskLine(): ((question: string) => Promise<string>) | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    return (await answerTo(`${printableLines(question)} `, lines)).trim()
  }
}

/** The same for what nobody must read over a shoulder: what is typed is not shown. */
export function createAskHidden(): ((question: string) => Promise<string>) | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return async (question) => {
    process.stderr.write(`${printableLines(question)} `)
    const nowhere = new Writable({ write: (_, __, done) => done() })
    const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true })
    try {
      return await answerTo('', lines)
    } finally {
      process.stderr.write('\n')
    }
  }
}
