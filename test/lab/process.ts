/**
 * The real command line as a child: `bin/waypost serve` with a configuration file, for what only a process has (signals, reload,
 * exit codes, processor time). Started by `lab.process()`.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FakeBackend } from './backend.ts'
import { greetsAt } from './greets.ts'
import { freeAddress, freePort } from './loopback.ts'
import { until } from './until.ts'

/** The text of waypost.yaml as a value, where a fake backend stands for its URL. `hostname`, `listen` and `state` are filled in. */
export type ConfigurationWords = Readonly<Record<string, unknown>>

export interface ProcessWords {
  /** A value, or the file's text, in which `LISTEN` and `STATE` are replaced by the lab's own. */
  readonly config: ConfigurationWords | string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A descriptor that its standard error goes to, instead of being read here. */
  readonly stderr?: number
  /** The dashboard on a free port; without it there is none, because tests that run side by side would all want its usual place. */
  readonly dashboard?: boolean
  /** One that has ended: this is started in its folder, on its state, and listens where it did. */
  readonly after?: WaypostProcess
}

export interface WaypostProcess {
  readonly address: string
  readonly port: number
  readonly pid: number
  readonly configFile: string
  readonly state: string
  /** What it has printed so far. */
  readonly stdout: string
  readonly stderr: string
  /** The log's lines that are JSON. */
  readonly lines: readonly Readonly<Record<string, unknown>>[]
  /** Writes another configuration; SIGHUP makes it read. */
  configure(config: ConfigurationWords | string): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Reads no more of what it prints: its pipes break. */
  stopReading(): void
  hasExited(): boolean
  /** Resolves when it has ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** SIGTERM, and SIGKILL where it has not ended after a while. */
  stop(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const startMs = 120_000
const graceMs = 20_000
const callMs = 180_000

export interface Called {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Another command of the same command line, with the configuration of this one; it may have stopped. */
export function callWaypost({ configFile }: WaypostProcess, ...words: readonly string[]): Promise<Called> {
  return new Promise((resolve, failed) => {
    const options = { timeout: callMs, maxBuffer: 64 * 1024 * 1024 }
    const child = execFile(
      join(root, 'bin/waypost'),
      [...words, '-c', configFile],
      options,
      (error, stdout, stderr) => {
        if (child.exitCode === null) failed(error)
        else resolve({ code: child.exitCode, stdout, stderr })
      },
    )
    child.stdin?.end()
  })
}

/** @param waits  whether to wait until it greets; a test of a bad configuration does not */
export async function startProcess(words: ProcessWords, folder: string, waits = true): Promise<WaypostProcess> {
  const address = words.after?.address ?? freeAddress()
  const port = words.after?.port ?? (await freePort(address))
  const configFile = join(folder, 'waypost.yaml')
  const state = join(folder, 'state')
  const http = words.dashboard ? '127.0.0.1:0' : 'off'
  const place = { configFile, state, listen: `${address}:${port}`, http }
  await writeConfiguration(words.config, place)
  const child = spawn(join(root, 'bin/waypost'), ['serve', '-c', configFile, ...(words.args ?? [])], {
    stdio: ['ignore', 'pipe', words.stderr ?? 'pipe'],
    env: { ...process.env, ...words.env },
  })
  const running = watch(child, { ...place, address, port })
  if (waits) {
    const greets = async () => {
      if (running.hasExited()) throw new Error(`waypost ended before it listened:\n${running.stdout}${running.stderr}`)
      return greetsAt(address, port)
    }
    await until(greets, startMs, `waypost listens at ${address}:${port}`).catch(async (error: unknown) => {
      await running.stop()
      throw new Error(`${error}\n${running.stdout}${running.stderr}`)
    })
  }
  return running
}

function watch(
  child: ChildProcess,
  place: { address: string; port: number; configFile: string; state: string; listen: string; http: string },
): WaypostProcess {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  const hasExited = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined
  return {
    address: place.address,
    port: place.port,
    pid: child.pid ?? 0,
    configFile: place.configFile,
    state: place.state,
    get stdout() {
      return stdout
    },
    get stderr() {
      return stderr
    },
    get lines() {
      return jsonLines(`${stdout}\n${stderr}`)
    },
    configure: (config) => writeConfiguration(config, place),
    stopReading() {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    signal(name) {
      child.kill(name)
    },
    exited,
    hasExited,
    async stop() {
      if (hasExited()) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await exited
      clearTimeout(timer)
    },
  }
}

/** JSON is YAML, so a value is written as it is. */
async function writeConfiguration(
  config: ConfigurationWords | string,
  place: { configFile: string; state: string; listen: string; http: string },
): Promise<void> {
  if (typeof config === 'string') {
    const text = config.replaceAll('LISTEN', place.listen).replaceAll('STATE', place.state)
    return writeFile(place.configFile, text)
  }
  const whole = {
    hostname: 'mx.waypost.test',
    listen: { smtp: [place.listen], http: place.http },
    state: place.state,
    ...config,
  }
  const urls = (_key: string, value: unknown) => (isBackend(value) ? value.url : value)
  return writeFile(place.configFile, JSON.stringify(whole, urls, 2))
}

const isBackend = (value: unknown): value is FakeBackend =>
  typeof value === 'object' && value !== null && 'violations' in value && 'url' in value

function jsonLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  const lines: Readonly<Record<string, unknown>>[] = []
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue
    try {
      lines.push(JSON.parse(line) as Record<string, unknown>)
    } catch {
      // The last line may not be whole yet.
    }
  }
  return lines
}
