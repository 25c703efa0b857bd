/** `waypost queue`: what is held, for a person to look at and to act upon. Each group of subcommands has a file. */
import { Command } from 'commander'
import type { BytesOut, Run } from '../terminal.ts'
import { actCommands, type Confirming } from './act.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { listCommand } from './list.ts'
import { catCommand, showCommand } from './show.ts'
import { resumeCommand, statsCommand } from './stats.ts'

/** What these commands need of the process. */
export interface QueueCommandDeps extends Confirming {
  readonly bytes: BytesOut
  /** The width of the terminal, in characters. */
  readonly columns: number
}

export function queueCommand(run: Run, deps: QueueCommandDeps): Command {
  const command = new Command('queue')
    .summary('look at held messages, try them now, hold, route, remove, export them')
    .description(
      'What is held while no backend can take it. Beside a running gateway it is asked; where none runs, its store is opened.',
    )
    .addHelpText(
      'after',
      `
An id may be abbreviated as long as it means one message.

Examples:
  waypost queue stats
  waypost queue list --domain example.com --older-than 1h
  waypost queue show 01M84TXJDW
  waypost queue retry --domain example.com`,
    )
  for (const each of [
    listCommand(run),
    showCommand(run),
    catCommand(run, deps.bytes),
    ...actCommands(run, deps),
    resumeCommand(run),
    statsCommand(run, deps.columns),
    exportCommand(run),
    importCommand(run),
  ])
    command.addCommand(each)
  return command
}
