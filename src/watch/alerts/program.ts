/** Alerts to a program of the user's: its arguments are a list that no shell reads, the message comes on its standard input. */
import { spawn } from 'node:child_process'
import type { Clock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { programPath, whyNotStartable } from '../../base/startable.ts'
import type { CommandOptions } from '../options.ts'
import type { Channel, Undelivered } from './sending.ts'
import { jsonOf, type Speaker } from './wording.ts'

const timeoutMs = 30_000

export function createProgram(
  options: CommandOptions,
  speaker: Speaker,
  { clock }: { readonly clock: Clock },
): Channel {
  const [program = '', ...args] = options.run
  return {
    name: `program ${printable(program, 200)}`,
    least: options.least,
    deliver: (message) => run(program, args, JSON.stringify(jsonOf(message, speaker)), clock),
  }
}

function run(program: string, args: readonly string[], input: string, clock: Clock): Promise<Undelivered | undefined> {
  return new Promise((resolve) => {
    // Nothing else of our environment goes along: secrets may stand there.
    const child = spawn(program, args, { env: { PATH: programPath, LC_ALL: 'C' }, stdio: ['pipe', 'ignore', 'ignore'] })
    const settle = (outcome: Undelivered | undefined) => {
      timer.cancel()
      resolve(outcome)
    }
    const timer = clock.after(timeoutMs, () => {
      child.kill('SIGKILL')
      settle({ why: `it did not end within ${timeoutMs / 1000} s`, isFinal: false })
    })
    child.once('error', async (error: NodeJS.ErrnoException) => {
      const why = (await whyNotStartable(program)) ?? `it could not be started (${error.code ?? 'unknown'})`
      settle({ why, isFinal: error.code !== 'EAGAIN' })
    })
    child.once('exit', (code, signal) =>
      settle(code === 0 ? undefined : { why: `it ended with ${code ?? signal ?? 'nothing'}`, isFinal: false }),
    )
    // One that reads nothing is no fault.
    child.stdin.on('error', () => undefined)
    child.stdin.end(`${input}\n`)
  })
}
