/**
 * A command of the user's, such as `rndc reload example.org`: program and arguments, no shell, and nothing of our environment, where secrets
 * may stand. Called by the targets that keep files.
 */
import { spawn } from 'node:child_process'
import type { Clock } from '../../../base/clock.ts'
import { printable } from '../../../base/printable.ts'
import { programPath, whyNotStartable } from '../../../base/startable.ts'

export type CommandOutcome =
  | { readonly kind: 'done' }
  /** `why` in words of ours, with the last of what it said made printable. */
  | { readonly kind: 'failed'; readonly why: string }

/** Octets of what it says that are kept. */
const maxOutputBytes = 4_096

/** @param argv  the program first */
export function runCommand(argv: readonly string[], timeoutMs: number, clock: Clock): Promise<CommandOutcome> {
  const [program = '', ...args] = argv
  return new Promise((resolve) => {
    let output = Buffer.alloc(0)
    const settle = (outcome: CommandOutcome) => {
      timer.cancel()
      resolve(outcome)
    }
    const failed = (what: string) => settle({ kind: 'failed', why: `"${printable(argv.join(' '), 300)}" ${what}` })
    const child = spawn(program, args, { env: { PATH: programPath, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = clock.after(timeoutMs, () => {
      child.kill('SIGKILL')
      failed(`did not end within ${timeoutMs / 1000} s`)
    })
    const keep = (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]).subarray(-maxOutputBytes)
    }
    for (const pipe of child.stdio) if (pipe && 'read' in pipe) pipe.on('data', keep)
    child.once('error', async (error: NodeJS.ErrnoException) => {
      const why = await whyNotStartable(program)
      failed(`could not be started${why === undefined ? ` (${error.code ?? 'unknown'})` : `: ${why}`}`)
    })
    child.once('exit', (code, signal) => {
      const judge = () => {
        if (code === 0) return settle({ kind: 'done' })
        const said = printable(output.toString('utf8').trim().split('\n').slice(-3).join(' | '), 500)
        failed(`ended with ${code ?? signal ?? 'nothing'}${said === '' ? '' : `: ${said}`}`)
      }
      // Its last words come a moment later; and a daemon that it left behind may hold its output open for ever.
      clock.after(lastWordsMs, judge)
      child.once('close', judge)
    })
  })
}

const lastWordsMs = 200
