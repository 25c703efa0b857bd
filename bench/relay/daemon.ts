/** Servers under measurement: started with their output in a file, stopped by process id, their processor time read from /proc. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { until } from '../../test/lab/until.ts'

export interface Daemon {
  readonly pid: number
  stop(): Promise<void>
}

/** @param output  the file that takes what it prints, so that nobody spends time on reading it */
export function startDaemon(command: string, args: readonly string[], output: string): Daemon {
  const file = openSync(output, 'a')
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', file, file] })
  return {
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(timer)
    },
  }
}

/** Resolves when something greets there with 220. */
export function untilGreets(address: string, port: number): Promise<void> {
  const greets = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect({ host: address, port })
      const end = (good: boolean) => {
        socket.destroy()
        resolve(good)
      }
      socket.once('data', (chunk: Buffer) => end(chunk.toString('latin1').startsWith('220')))
      socket.once('error', () => end(false))
      socket.once('close', () => end(false))
    })
  return until(greets, 20_000, `a greeting at ${address}:${port}`)
}

/** Linux counts processor time in hundredths of a second (proc_pid_stat(5); `getconf CLK_TCK`). */
const tickMs = 10

/** Milliseconds of processor time that a process and all that descend from it have used, those that have ended included. */
export function processorMs(root: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined)
  const family = new Set([root])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return processes.reduce((sum, { pid, ticks }) => sum + (family.has(pid) ? ticks * tickMs : 0), 0)
}

function readStat(pid: number): { pid: number; parent: number; ticks: number } | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined // It has ended since the folder was read.
  }
  // The second field is the command in brackets and may hold blanks; state is the third, counted from 1.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  // utime, stime, and of the children that were waited for cutime and cstime.
  return { pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}
