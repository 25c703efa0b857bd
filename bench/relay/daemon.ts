/** Servers under measurement: started with their output in a file, stopped by process id, their processor time read from /proc. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, readFileSync } from 'node:fs'
import { greetsAt } from '../../test/lab/greets.ts'
import { until } from '../../test/lab/until.ts'

export interface Daemon {
  readonly pid: number
  hasEnded(): boolean
  stop(): Promise<void>
}

/** @param output  the file that takes what it prints, so that nobody spends time on reading it */
export function startDaemon(command: string, args: readonly string[], output: string): Daemon {
  const file = openSync(output, 'a')
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', file, file] })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid ?? 0,
    hasEnded,
    async stop() {
      if (hasEnded()) return
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
  return until(() => greetsAt(address, port), 20_000, `a greeting at ${address}:${port}`)
}

/** Linux counts the time of children that have ended in hundredths of a second (proc_pid_stat(5); `getconf CLK_TCK`). */
const tickMs = 10

/** Milliseconds of processor time that a process and all that descend from it have used, those that have ended included. */
export function processorMs(root: number): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined)
  const family = new Set([root])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid)
  }
  return processes.reduce((sum, { pid, usedMs }) => sum + (family.has(pid) ? usedMs : 0), 0)
}

function readProcess(pid: number): { pid: number; parent: number; usedMs: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the command in brackets and may hold blanks; state is the third, counted from 1.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3])
    // cutime and cstime: of the children that were waited for.
    return { pid, parent: field(4), usedMs: threadsMs(pid) + (field(16) + field(17)) * tickMs }
  } catch {
    return undefined // It has ended since the folder was read.
  }
}

/** Of the threads of a process, to the nanosecond: utime and stime are hundredths of a second, which is a fifteenth of what a short run takes. */
function threadsMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const used = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
  return used.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0)
}
