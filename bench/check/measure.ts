/** One command, measured: wall clock, processor time and the most memory of it, as the shell and the kernel count them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

export interface Used {
  readonly wallS: number
  readonly processorS: number
  readonly maxMiB: number
}

/**
 * @param command  a line of the shell; its exit codes 0 and 1 are fine
 * @param out  the file that takes its standard output
 */
export async function measureCommand(command: string, out: string): Promise<Used> {
  // Through the shell's own clock, which counts what the command and its children have used when they are gone.
  const script = `TIMEFORMAT='%R %U %S'; time { ${command}; } > ${out}`
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let maxKiB = 0
  const timer = setInterval(() => {
    maxKiB = Math.max(maxKiB, peakKiB(child.pid ?? 0))
  }, 100)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  const [, wall, user, system] = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(stderr.trim()) ?? []
  if ((code !== 0 && code !== 1) || wall === undefined) throw new Error(`${command} ended with ${code}: ${stderr}`)
  return { wallS: Number(wall), processorS: Number(user) + Number(system), maxMiB: maxKiB / 1024 }
}

/** The most that the children of the shell have had at once; 0 where there is none. */
function peakKiB(shell: number): number {
  try {
    const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')
    const peaks = children.map((pid) => /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    return Math.max(0, ...peaks.map((peak) => Number(peak ?? 0)))
  } catch {
    return 0
  }
}
