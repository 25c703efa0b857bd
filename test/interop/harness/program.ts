/** Other people's servers and commands as children of a test: started, watched, and stopped by their own process id. */
import { type ChildProcess, spawn } from 'node:child_process'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. @param input  what it reads on standard input */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly input?: Uint8Array | string; readonly timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe', timeout: options.timeoutMs ?? 180_000, killSignal: 'SIGKILL' })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.once('error', (error) => reject(notInstalled(command, error)))
    // A command may end without reading all of its input.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.once('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(stdout).toString('latin1'),
        stderr: Buffer.concat(stderr).toString('latin1'),
      }),
    )
  })
}

/** The same, where anything but exit code 0 is an error. */
export async function runWell(command: string, args: readonly string[], input?: Uint8Array | string): Promise<Ran> {
  const ran = await run(command, args, input === undefined ? {} : { input })
  if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${ran.code}\n${ran.stdout}${ran.stderr}`)
  return ran
}

export interface Running {
  readonly pid: number
  readonly hasEnded: boolean
  /** Standard output and standard error so far. */
  readonly output: string
  /** SIGTERM to the process (its own group, where it leads one), SIGKILL where it has not ended after 5 s. */
  stop(): Promise<void>
}

/** @param leads  whether it becomes the leader of a process group, as a daemon expects to be */
export function start(command: string, args: readonly string[], leads = false): Promise<Running> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: leads })
    child.once('error', (error) => reject(notInstalled(command, error)))
    child.once('spawn', () => resolve(watch(child, leads)))
  })
}

function watch(child: ChildProcess, leads: boolean): Running {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('latin1').on('data', (text: string) => {
      output = (output + text).slice(-100_000)
    })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const pid = child.pid ?? 0
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(leads ? -pid : pid, name)
    } catch {
      // It has ended in between.
    }
  }
  return {
    pid,
    get hasEnded() {
      return child.exitCode !== null || child.signalCode !== null
    },
    get output() {
      return output
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        const timer = setTimeout(() => signal('SIGKILL'), 5_000)
        await exited
        clearTimeout(timer)
      }
      // What the leader left behind goes with it.
      if (leads) signal('SIGKILL')
    },
  }
}

function notInstalled(command: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT') return error
  return new Error(`${command} is not installed; .ci/run lists the Debian packages that these tests need`)
}
