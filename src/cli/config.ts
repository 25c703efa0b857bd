/** `waypost config check|schema|reload`: looks at waypost.yaml before a gateway does. */
import { hostname } from 'node:os'
import { Command } from 'commander'
import { systemClock } from '../base/clock.ts'
import { loadConfig } from '../config/load.ts'
import type { Summary } from '../config/plan.ts'
import { publishedSchema } from '../config/schema.ts'
import { formatProblems } from '../config/source.ts'
import { askGateway } from './ask.ts'
import { configOption, findConfig } from './config-path.ts'
import type { ExitCode, Run, Terminal } from './terminal.ts'

interface CheckOptions {
  readonly config: string | undefined
  readonly json: boolean | undefined
}

interface ReloadOptions {
  readonly config: string | undefined
  readonly allowRemoval: boolean | undefined
}

export function configCommand(run: Run): Command {
  const command = new Command('config').summary('check waypost.yaml, print its schema, load it again')
  command
    .command('check')
    .description(
      'Says everything that is wrong with a configuration, with the place of each mistake, or what it declares.',
    )
    .addOption(configOption())
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nExit code: 0 in order, 1 mistakes, 2 it could not be read.\n\nExample:\n  waypost config check -c waypost.yaml',
    )
    .action((options: CheckOptions) => run((terminal) => check(options, terminal)))
  command
    .command('schema')
    .description('Prints the JSON Schema of waypost.yaml, for editors that help while one writes.')
    .addHelpText(
      'after',
      '\nExample:\n  waypost config schema > waypost.schema.json\nand as the first line of waypost.yaml:\n  # yaml-language-server: $schema=waypost.schema.json',
    )
    .action(() => run(async (terminal) => schema(terminal)))
  command
    .command('reload')
    .description('Has the running gateway load its configuration again, and says how that went.')
    .addOption(configOption())
    .option('--allow-removal', 'also where more than 10 domains and more than 1 % of them would go')
    .addHelpText('after', '\nExample:\n  waypost config reload -c waypost.yaml')
    .action((options: ReloadOptions) => run((terminal) => reload(options, terminal)))
  return command
}

async function check(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const found = findConfig(options.config)
  if (found.kind === 'none') {
    terminal.err(`waypost: ${found.why}\n`)
    return 2
  }
  const loaded = await loadConfig(found.path, { clock: systemClock, machineName: hostname() })
  if (loaded.kind === 'loaded') {
    terminal.out(options.json ? `${JSON.stringify({ valid: true, ...loaded.summary })}\n` : summaryText(loaded.summary))
    return 0
  }
  const problems = loaded.kind === 'invalid' ? loaded.problems : []
  if (options.json) terminal.out(`${JSON.stringify({ valid: false, problems })}\n`)
  else terminal.out(`${formatProblems(problems)}\n`)
  // The file itself is not there to be examined: that is no mistake in it.
  return problems.some((problem) => problem.file === found.path && problem.line === 0) ? 2 : 1
}

function summaryText(summary: Summary): string {
  const listeners = summary.listeners.map(({ address, port }) =>
    address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  )
  return [
    'In order.',
    `  files      ${summary.files.join(', ')}`,
    `  domains    ${summary.domains}`,
    `  routes     ${summary.routes}`,
    `  backends   ${summary.backends}`,
    `  listeners  ${listeners.join(', ')}`,
    `  state      ${summary.state}`,
    '',
  ].join('\n')
}

function schema(terminal: Terminal): ExitCode {
  terminal.out(`${JSON.stringify(publishedSchema(), null, 2)}\n`)
  return 0
}

async function reload(options: ReloadOptions, terminal: Terminal): Promise<ExitCode> {
  const request = { command: 'config.reload', arguments: { allowRemoval: options.allowRemoval === true } }
  const heard = await askGateway(options.config, request, terminal)
  if (heard.kind === 'could-not') return 2
  if (heard.kind === 'refused') return 1
  terminal.out('Reloaded.\n')
  return 0
}
