/**
 * `waypost check`: whether mail for a domain arrives, from everybody, also when something breaks; and if not, what exactly to change. The work is
 * in `run.ts`. Exit codes: 0 nothing at or above `--fail-on`, 1 something, 2 a domain could not be examined.
 */
import { Command, InvalidArgumentError, Option } from 'commander'
import { severities } from '../../checks/finding.ts'
import { formatNames } from '../../checks/report/format.ts'
import { type Mailbox, parseMailbox } from '../../mail/address.ts'
import { configOption } from '../config-path.ts'
import { collect, countReader, hostReader, nameServer, portReader, timeReader } from '../option-readers.ts'
import type { Run } from '../terminal.ts'
import { explain } from './explain.ts'
import type { CheckFlags } from './options.ts'
import { type CheckDeps, runCheck } from './run.ts'

const examples = `
Examples:
  waypost check example.com
  waypost check                                     every domain of waypost.yaml
  waypost check example.com --format html > report.html
  waypost check --input domains.txt --no-smtp --output results.jsonl --resume
  waypost check --explain dane-mismatch

Exit code: 0 nothing at or above --fail-on, 1 something, 2 a domain could not be examined.
Domains that waypost.yaml does not declare are asked politely: no unknown recipient, no relaying.`

/** The command, for `main.ts` to add. */
export function checkCommand(run: Run, deps: CheckDeps): Command {
  const command = new Command('check')
    .summary('prove that mail for a domain arrives, and say what to change')
    .description(
      'Looks at the mail exchange of domains as the world sees it, in DNS, at every name server and over SMTP, and says whether mail arrives, what is wrong, and what exactly to change. No message is ever sent.',
    )
    .argument('[domain...]', 'domains (default: all that waypost.yaml declares)')
    .addOption(configOption())
    .option('--input <file>', 'domains to examine, one a line; - for standard input')
    .option('--output <file>', 'write the reports to a file; .jsonl, .json, .html and .xml say the format, too')
    .option('--resume', 'go on with the JSON lines that --output has from an earlier run')
    .option('--overwrite', 'replace what --output has; without it a file that is not empty is left alone')
    .addOption(
      new Option(
        '--format <name>',
        'how reports are written (default: as the name of --output says, else text)',
      ).choices([...formatNames]),
    )
    .option('--json', 'the same as --format json')
    .addOption(
      new Option('--concurrency <number>', 'domains at once (default: 20, without SMTP 100)').argParser(
        countReader(1, 5000),
      ),
    )
    .addOption(
      new Option('--fail-on <severity>', 'the least finding for exit code 1')
        .choices([...severities])
        .default('warning'),
    )
    .option('--explain <check>', 'say what a check looks at, why, and what to do')
    .option('-q, --quiet', 'no progress, no summary')
    .option('-v, --verbose', 'of many domains too the whole report')
  examinationOptions(command)
  laboratoryOptions(command)
  return command
    .addHelpText('after', examples)
    .action((names: string[], flags: CheckFlags) =>
      run((terminal) =>
        flags.explain === undefined ? runCheck(names, flags, terminal, deps) : explain(flags.explain, terminal),
      ),
    )
}

function examinationOptions(command: Command): void {
  command
    .optionsGroup('What is examined:')
    .addOption(new Option('--rules <ids>', 'these checks alone, with commas between').argParser(ids))
    .addOption(new Option('--skip <ids>', 'not these checks').argParser(ids))
    .option('--no-smtp', 'ask DNS and the policy alone, speak no SMTP')
    .addOption(
      new Option(
        '--probe <manner>',
        'full also asks for an unknown recipient and for relaying (default: full for domains of waypost.yaml, else polite; hosts of shared providers are always asked politely)',
      ).choices(['full', 'polite', 'none']),
    )
    .addOption(privateOption())
    .addOption(new Option('-4, --ipv4', 'look over IPv4 alone').conflicts('ipv6'))
    .addOption(new Option('-6, --ipv6', 'look over IPv6 alone').conflicts('ipv4'))
    .option(
      '--resolver <address[:port]>',
      'name server to ask, may be repeated (default: as in waypost.yaml, else those of the system)',
      collect(nameServer),
    )
    .addOption(new Option('--helo <name>', 'what we call ourselves in EHLO').argParser(hostReader))
    .addOption(new Option('--from <address>', 'sender of the question for relaying').argParser(mailbox))
    .addOption(
      new Option('--timeout <time>', 'for one domain in all, such as 30s (default: 120s)').argParser(
        timeReader(1000, 600_000),
      ),
    )
    .option('--ca <file>', 'PEM of authorities that are trusted too')
}

/** Of `waypost watch` too. */
export const privateOption = () => new Option('--private', 'addresses that not everybody reaches are meant (RFC 6890)')

/** The same. */
export function laboratoryOptions(command: Command): void {
  command
    .optionsGroup('For laboratories, without root and without the Internet:')
    .addOption(new Option('--smtp-port <port>', 'of exchangers (default: 25)').argParser(portReader))
    .addOption(new Option('--dns-port <port>', 'of authoritative servers (default: 53)').argParser(portReader))
    .addOption(new Option('--https-port <port>', 'of policy hosts (default: 443)').argParser(portReader))
    .option('--root-hints <file>', 'addresses of the root servers, as in named.root')
    .addOption(
      new Option('--validation-zones <signed,broken>', 'a signed zone, and one whose validation must fail').argParser(
        twoZones,
      ),
    )
    .addOption(
      new Option('--known-exchanger <name>', 'a host that answers on the SMTP port for certain').argParser(hostReader),
    )
}

const ids = (text: string): string[] =>
  text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text)
  if (parsed.kind === 'mailbox' && parsed.mailbox.domain) return parsed.mailbox
  throw new InvalidArgumentError('It must be a mail address.')
}

function twoZones(text: string): CheckFlags['validationZones'] {
  const [signed = '', broken = '', more] = text.split(',')
  if (more !== undefined) throw new InvalidArgumentError('It must be two names with a comma between.')
  return { signed: hostReader(signed), broken: hostReader(broken) }
}
