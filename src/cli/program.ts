/** The command line as a whole: what `main.ts` runs and tests run too. */
import { Command, CommanderError } from 'commander'
import { exampleConfig } from './config-path.ts'
import { Misuse } from './misuse.ts'
import { type ExitCode, type Run, type Terminal, Unanswered } from './terminal.ts'
import { refuseUnknownWord } from './unknown-word.ts'

export interface Program {
  /** Runs one command line. @param words  without the program's name */
  run(words: readonly string[]): Promise<ExitCode>
}

/** @param commands  makes the commands; each runs its work through `run` */
export function createProgram(
  version: string,
  terminal: Terminal,
  commands: (run: Run) => readonly Command[],
): Program {
  let exitCode: ExitCode = 0
  const run: Run = async (work) => {
    exitCode = await work(terminal)
  }
  const program = new Command('waypost')
    .description('Looks after the mail exchange of the domains you own.')
    .version(version)
    .addHelpText(
      'after',
      `
Examples:
  waypost demo
  waypost init example.com
  waypost serve -c ${exampleConfig()} --log pretty
  waypost config check -c waypost.yaml
  waypost <command> --help`,
    )
  for (const command of commands(run)) program.addCommand(command)
  prepare(program, terminal)
  let running = program
  program.hook('preAction', (_, command) => {
    running = command
  })

  return {
    async run(words) {
      exitCode = 0
      try {
        await program.parseAsync(helpOf(words, program), { from: 'user' })
      } catch (error) {
        if (error instanceof Misuse) {
          terminal.err(`${error.whys.map((why) => `waypost: ${why}\n`).join('')}${whereHelpIs(running)}`)
          return 2
        }
        if (error instanceof Unanswered) {
          terminal.err('\nNo answer was given, and what was asked about was not done.\n')
          return 2
        }
        if (!(error instanceof CommanderError)) throw error
        // Help and version are what was asked for; anything else is a command line that cannot be done.
        return error.exitCode === 0 ? 0 : 2
      }
      return exitCode
    },
  }
}

/**
 * `help queue hold` is `queue hold --help`: commander itself looks no deeper than the first word. A word that is no command stands without `--help`, so
 * that it is refused as such.
 */
function helpOf(words: readonly string[], program: Command): string[] {
  const [first, ...rest] = words
  if (first !== 'help' || rest.length === 0 || rest[0] === 'help') return [...words]
  let command = program
  for (const [at, word] of rest.entries()) {
    if (command.commands.length === 0) break
    const next = command.commands.find((each) => each.name() === word)
    if (!next && !word.startsWith('-')) return rest.slice(0, at + 1)
    command = next ?? command
  }
  return [...rest, '--help']
}

/** Every command writes to the terminal, begins what is wrong as all of Waypost does, and throws instead of ending the process. */
function prepare(command: Command, terminal: Terminal): void {
  command.exitOverride((error) => {
    if (error.code === 'commander.excessArguments' && command.args.some(isFile) && takesConfig(command))
      terminal.err('(the file is given by -c FILE)\n')
    // Where the help itself is told, it has exit code 0, or 1 because no command was named.
    if (error.exitCode !== 0 && error.code !== 'commander.help') terminal.err(whereHelpIs(command))
    throw error
  })
  if (command.commands.length > 0)
    command.on('command:*', ([word = '']: readonly string[]) => refuseUnknownWord(command, word))
  command.configureOutput({
    writeOut: (text) => terminal.out(text),
    writeErr: (text) => terminal.err(text),
    outputError: (text, write) => write(text.replace(/^error: /, 'waypost: ')),
  })
  for (const child of command.commands) prepare(child, terminal)
}

const whereHelpIs = (command: Command): string => `(see "${nameOf(command)} --help")\n`

/** `waypost queue show`. */
const nameOf = (command: Command): string =>
  command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()

const isFile = (argument: string) => /\/|\.ya?ml$/.test(argument)

const takesConfig = ({ options }: Command) => options.some(({ long }) => long === '--config')
