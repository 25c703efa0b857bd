/** `waypost web link|token|password`: the ways into the dashboard. */
import { Command, Option } from 'commander'
import { z } from 'zod'
import { printable } from '../base/printable.ts'
import { systemRandom } from '../base/random.ts'
import { type Role, roles } from '../web/access/role.ts'
import { hashSecret } from '../web/access/secret-hash.ts'
import { askGateway } from './ask.ts'
import { runningConfigOption } from './config-path.ts'
import { Misuse } from './misuse.ts'
import type { ExitCode, Run, Terminal } from './terminal.ts'

interface AccessFlags {
  readonly name: string
  readonly role: Role
}

const leastPassword = 12

/** @param askHidden  asks for a password without showing it; undefined where nobody sits there */
export function webCommand(run: Run, askHidden: ((question: string) => Promise<string>) | undefined): Command {
  const command = new Command('web').summary('ways into the dashboard: a link, a token, a password')
  command.addHelpText('after', '\nExample:\n  waypost web link -c waypost.yaml')
  command
    .command('link')
    .description(
      'Prints a link into the dashboard of the running gateway. It works once, within half an hour, and whoever opens it may do everything.',
    )
    .addOption(runningConfigOption())
    .addHelpText(
      'after',
      '\nExit code: 0 printed, 1 the gateway has no dashboard, 2 no gateway could be asked.\n\nExample:\n  waypost web link -c waypost.yaml',
    )
    .action((options: { config: string | undefined }) => run((terminal) => link(options.config, terminal)))
  for (const kind of ['token', 'password'] as const) {
    command
      .command(kind)
      .description(
        kind === 'token'
          ? 'Makes a token for a program, and the lines for waypost.yaml that let it in. The token is shown this once, on standard output; the lines are on standard error.'
          : 'Asks for a password, and prints the lines for waypost.yaml that let who knows it in, on standard error.',
      )
      .requiredOption('--name <name>', 'whose it is')
      .addOption(new Option('--role <role>', 'what it allows').choices(roles).default('view'))
      .addHelpText(
        'after',
        `\nExit code: 0 made, 2 ${kind === 'token' ? 'the name is none' : 'the name or the password is none, or nobody sits at a terminal'}.\n\nExample:\n  waypost web ${kind} --name ${kind === 'token' ? 'prometheus' : 'alice --role operate'}`,
      )
      .action((flags: AccessFlags) =>
        run((terminal) => (kind === 'token' ? token(flags, terminal) : password(flags, terminal, askHidden))),
      )
  }
  return command
}

async function link(config: string | undefined, terminal: Terminal): Promise<ExitCode> {
  const heard = await askGateway(config, { command: 'web.link' }, terminal)
  if (heard.kind === 'could-not') return 2
  if (heard.kind === 'refused') return 1
  const parsed = z.object({ link: z.string() }).safeParse(heard.result)
  if (!parsed.success) {
    terminal.err('waypost: the answer of the running gateway cannot be read; is it of another version?\n')
    return 2
  }
  terminal.out(`${parsed.data.link}\n`)
  return 0
}

async function token(flags: AccessFlags, terminal: Terminal): Promise<ExitCode> {
  refuseName(flags.name)
  const secret = systemRandom.bytes(32).toString('base64url')
  await sayEntry(flags, secret, terminal)
  terminal.err('The token, which is kept nowhere:\n')
  terminal.out(`${flags.name}.${secret}\n`)
  return 0
}

async function password(
  flags: AccessFlags,
  terminal: Terminal,
  askHidden: ((question: string) => Promise<string>) | undefined,
): Promise<ExitCode> {
  refuseName(flags.name)
  if (!askHidden) {
    terminal.err(
      'waypost: a password is asked for at a terminal, and this is none; "waypost web token" makes a token\n',
    )
    return 2
  }
  const first = await askHidden('Password:')
  if (first.length < leastPassword) {
    terminal.err(`waypost: this has fewer than ${leastPassword} characters\n`)
    return 2
  }
  if ((await askHidden('Again:')) !== first) {
    terminal.err('waypost: these are two different passwords\n')
    return 2
  }
  await sayEntry(flags, first, terminal)
  return 0
}

async function sayEntry({ name, role }: AccessFlags, secret: string, terminal: Terminal): Promise<void> {
  const hash = await hashSecret(secret, systemRandom)
  terminal.err('For waypost.yaml, and then "waypost config reload":\n')
  const entry = `web:\n  access:\n    - { name: ${name}, role: ${role}, hash: "${hash}" }\n`
  terminal.err(entry)
}

function refuseName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new Misuse(`"${printable(name, 100)}" is no name: it has letters, digits, ".", "_" and "-", 64 at most`)
}
