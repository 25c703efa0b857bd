/** `waypost demo`: everything moving, for a person who has never seen it. The work is in `demo/run.ts`. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { countReader } from '../option-readers.ts'
import type { Keys, Panel, Run } from '../terminal.ts'
import { type DemoDeps, runDemo } from './run.ts'

interface DemoWords {
  readonly rate: number
  readonly speed: number
  readonly once: boolean | undefined
  readonly plain: boolean | undefined
}

export interface DemoCommandDeps extends Omit<DemoDeps, 'terminal' | 'panel' | 'keys'> {
  /** Undefined where nobody looks, or presses keys. */
  readonly createPanel: () => Panel | undefined
  readonly createKeys: () => Keys | undefined
}

/** Smaller ones get lines. */
const leastColumns = 78
const leastRows = 21

export function demoCommand(run: Run, deps: DemoCommandDeps): Command {
  return new Command('demo')
    .summary('see it move: a gateway, three servers that fail, and no message lost')
    .description(
      'Runs a gateway in front of three mail servers of its own, sends it mail, and lets the servers fail: one slow, one dead, all dead, one back. All of it is on this machine (127.0.0.1, free ports), and nothing is left of it at the end.',
    )
    .addOption(new Option('--rate <number>', 'messages a second, 1–20').default(5).argParser(countReader(1, 20)))
    .addOption(new Option('--speed <factor>', 'how fast the story goes, 0.1–20').default(1).argParser(speed))
    .option('--once', 'end when the story is over (after a good minute); so it is anyway where nobody can press q')
    .option('--plain', 'lines as things happen, and no panel that is drawn in place')
    .addHelpText(
      'after',
      `
Keys: 1, 2 and 3 kill a backend or revive it (the story stops then), q ends it and waits until what is held has arrived, q again or Ctrl-C does not wait.

Exit code: 0 every message arrived once, or was held when it ended; 1 some did not; 2 it could not start.

Examples:
  waypost demo
  waypost demo --once --speed 3 | tee story.txt`,
    )
    .action(({ rate, speed, once, plain }: DemoWords) =>
      run((terminal) => {
        const keys = deps.createKeys()
        const found = plain ? undefined : deps.createPanel()
        const isLargeEnough = found && found.columns >= leastColumns && found.rows >= leastRows
        if (!isLargeEnough) found?.end()
        const panel = isLargeEnough ? found : undefined
        const options = { perSecond: rate, speed, once: once === true || keys === undefined }
        return runDemo(options, { ...deps, terminal, panel, keys })
      }),
    )
}

function speed(text: string): number {
  const value = /^\d{1,2}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (value >= 0.1 && value <= 20) return value
  throw new InvalidArgumentError('It must be a number from 0.1 to 20.')
}
