/**
 * `waypost demo` as a child, with a folder of its own for temporary files, so that a test sees what is left there. With keys it runs in a pseudo
 * terminal, which `script` of util-linux makes. Used by the tests that play with the demo.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from './until.ts'

export interface RunningDemo {
  /** What it has printed so far, both streams. */
  readonly text: string
  readonly pid: number
  /** Resolves as soon as it has printed that; rejects when it has ended without. */
  says(what: RegExp): Promise<void>
  /** Presses a key; for one in a terminal. */
  press(key: string): void
  signal(name: NodeJS.Signals): void
  /** Names of what it has left among the temporary files. */
  leftBehind(): Promise<readonly string[]>
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
}

const program = join(fileURLToPath(new URL('../..', import.meta.url)), 'bin/waypost')
/** The machine may be busy, and a gateway looks for its backends after up to 30 s. */
const patienceMs = 180_000

/** @param words  behind `waypost demo` */
export async function startDemo(t: TestContext, words: readonly string[]): Promise<RunningDemo> {
  return start(t, program, ['demo', ...words])
}

/** The same in a terminal of 80 columns and 24 rows. */
export async function startDemoInTerminal(t: TestContext, words: readonly string[]): Promise<RunningDemo> {
  const command = `stty columns 80 rows 24; exec '${program}' demo ${words.join(' ')}`
  return start(t, 'script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'])
}

async function start(t: TestContext, command: string, words: readonly string[]): Promise<RunningDemo> {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-test-'))
  const env: NodeJS.ProcessEnv = { ...process.env, TMPDIR: temporary, TERM: 'xterm', SHELL: '/bin/sh' }
  delete env.NO_COLOR
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'pipe'], env })
  const demo = watch(child, temporary)
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await demo.exited
    await rm(temporary, { recursive: true, force: true })
  })
  return demo
}

function watch(child: ChildProcess, temporary: string): RunningDemo {
  let text = ''
  let hasExited = false
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  child.stdin?.on('error', () => undefined)
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => {
      hasExited = true
      resolve({ code, signal })
    })
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  return {
    get text() {
      return text
    },
    pid: child.pid ?? 0,
    async says(what) {
      const isSaid = () => {
        if (what.test(text)) return true
        if (hasExited) throw new Error(`it ended without saying ${what}:\n${text}`)
        return false
      }
      await until(isSaid, patienceMs, `${what}`).catch((error: unknown) => {
        throw new Error(`${error}\n${text}`)
      })
    },
    press: (key) => void child.stdin?.write(key),
    signal: (name) => void child.kill(name),
    leftBehind: async () => (await readdir(temporary)).filter((name) => name.startsWith('waypost')),
    exited,
  }
}
