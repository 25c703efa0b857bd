/**
 * Where the reports of `waypost check` go: standard output, or a file that an interrupted run can go on with. Writes one after the other, and
 * waits until each is taken. Called by `run.ts`.
 */
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isMissing } from '../../base/error-code.ts'
import { type Countable, judge } from '../../checks/report/tally.ts'
import { writeOut } from '../terminal.ts'
import { createFingerprints, type Fingerprints } from './fingerprints.ts'

export interface Output {
  write(text: string): Promise<void>
  close(): Promise<void>
}

export function standardOutput(before: () => void): Output {
  return inTurn(
    (text) => {
      before()
      return writeOut(text)
    },
    async () => {},
  )
}

/** @param handle  its place is where writing goes on */
function fileOutput(handle: FileHandle): Output {
  return inTurn(
    async (text) => void (await handle.appendFile(text)),
    () => handle.close(),
  )
}

/**
 * What is no regular file (a pipe, /dev/null) is written to as it is.
 * @param overwrites  what the file has may be lost: a long run does not lose its results by a flag that was forgotten
 * @throws where it cannot be written, or holds something that may not be lost: HOLDS_SOMETHING
 */
export async function newFile(path: string, overwrites: boolean): Promise<Output> {
  const there = overwrites ? undefined : await stat(path).catch(() => undefined)
  if (there?.isFile() && there.size > 0)
    throw told('HOLDS_SOMETHING', `${path} holds something: go on with it by --resume, or replace it by --overwrite`)
  return fileOutput(await opened(path, 'w'))
}

async function opened(path: string, flags: string): Promise<FileHandle> {
  try {
    return await open(path, flags)
  } catch (error) {
    // A file that is to be made is not what is missing.
    if (!isMissing(error)) throw error
    throw told('NO_FOLDER', `the folder ${dirname(resolve(path))} does not exist, so ${path} cannot be made`)
  }
}

const told = (code: string, message: string) => Object.assign(new Error(message), { code })

export interface Resumed {
  readonly output: Output
  /** The domains of which the file has a report. */
  readonly done: Fingerprints
}

/**
 * Opens the JSON lines of an earlier run to go on with them. A line that was cut off by the end of that run is taken away.
 * @param seen  called with what each line says
 * @throws where it cannot be read and written, or holds something else: NOT_REPORTS
 */
export async function resumedFile(path: string, seen: (one: Countable) => void): Promise<Resumed> {
  const handle = await opened(path, 'a+')
  try {
    const done = createFingerprints()
    let whole = 0
    let lines = 0
    for await (const { line, end } of linesOf(handle)) {
      const report = readReport(line)
      lines++
      if (!report)
        throw told(
          'NOT_REPORTS',
          `line ${lines} of ${path} is no report of a check: take it out, or name another file with --output`,
        )
      done.add(report.domain)
      seen(report)
      whole = end
    }
    await handle.truncate(whole)
    return { output: fileOutput(handle), done }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Whole lines, each with the place behind it. */
async function* linesOf(handle: FileHandle): AsyncIterable<{ readonly line: string; readonly end: number }> {
  let rest = Buffer.alloc(0)
  let restAt = 0
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(256 * 1024), 0, 256 * 1024, at)
    if (bytesRead === 0) return
    at += bytesRead
    const chunk = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      yield { line: chunk.toString('utf8', start, end), end: restAt + end + 1 }
      start = end + 1
    }
    rest = chunk.subarray(start)
    restAt += start
  }
}

function readReport(line: string): (Countable & { readonly domain: string }) | undefined {
  try {
    const { kind, domain, state, findings } = JSON.parse(line)
    if (typeof domain !== 'string') return undefined
    if (kind === 'unexamined') return { domain, state: 'unknown', findings: [] }
    const one = { domain, state, findings }
    judge(one, 'error')
    return typeof state === 'string' ? one : undefined
  } catch {
    return undefined
  }
}

function inTurn(write: (text: string) => Promise<void>, close: () => Promise<void>): Output {
  let last: Promise<void> = Promise.resolve()
  return {
    write(text) {
      last = last.then(() => (text === '' ? undefined : write(text)))
      return last
    },
    async close() {
      await last
      await close()
    },
  }
}
