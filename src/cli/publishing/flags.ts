/** The options and arguments that commands have in common which plan or publish: `plan`, `apply` and `migrate`. */
import { InvalidArgumentError, Option } from 'commander'
import { type HostName, parseName } from '../../dns/name.ts'
import { type NameServer, parseNameServer } from '../../dns/servers.ts'
import { type RefusalRule, refusalRules } from '../../publish/plan/consequences.ts'
import { countReader, portReader } from '../option-readers.ts'

export interface PublishFlags {
  readonly config: string | undefined
  readonly resolver?: readonly NameServer[]
  readonly private?: boolean
  /** `--no-smtp`. */
  readonly smtp: boolean
  readonly concurrency?: number
  readonly smtpPort?: number
  readonly dnsPort?: number
}

export const domainArgument = (text: string, before: readonly HostName[] = []): readonly HostName[] => {
  const parsed = parseName(text)
  if (parsed.kind === 'name') return [...before, parsed.name]
  throw new InvalidArgumentError(`It must be a domain; this is none: ${parsed.why}.`)
}

/** Of those that look at many zones. */
export const concurrencyOption = () =>
  new Option('--concurrency <number>', 'zones looked at at once (default: 50, with --no-smtp 200)').argParser(
    countReader(1, 5000),
  )

/** The options that all of them have. */
export function publishFlags(): Option[] {
  return [
    new Option(
      '--resolver <address[:port]>',
      'name server to ask, may be repeated (default: as in waypost.yaml)',
    ).argParser((text: string, before: readonly NameServer[] | undefined) => {
      const server = parseNameServer(text)
      if (server) return [...(before ?? []), server]
      throw new InvalidArgumentError('It must be an IP address, with or without a port.')
    }),
    new Option('--no-smtp', 'do not ask the exchangers by SMTP whether they take mail for the domain'),
    new Option(
      '--private',
      'ask exchangers and name servers at private addresses, too (RFC 6890); those in waypost.yaml are asked anyhow',
    ),
    new Option('--smtp-port <port>', 'of exchangers (default: 25)').argParser(portReader),
    new Option('--dns-port <port>', 'of the name servers that a zone names (default: 53)').argParser(portReader),
    new Option('--allow <rules>', `changes that would be refused: all, or some of ${refusalRules.join(', ')}`)
      .argParser((text: string): ReadonlySet<RefusalRule> => {
        const parsed = parseAllowed(text)
        if (parsed.kind === 'rules') return parsed.rules
        throw new InvalidArgumentError(`"${parsed.word}" is no rule; there are ${refusalRules.join(', ')}, and all.`)
      })
      .default(new Set<RefusalRule>(), 'none'),
  ]
}

/** @param text  `RULE[,RULE…]` or `all` */
export function parseAllowed(
  text: string,
):
  | { readonly kind: 'rules'; readonly rules: ReadonlySet<RefusalRule> }
  | { readonly kind: 'unknown'; readonly word: string } {
  const words = text.split(',').map((word) => word.trim())
  if (words.includes('all')) return { kind: 'rules', rules: new Set(refusalRules) }
  const unknown = words.find((word) => !isRule(word))
  if (unknown !== undefined) return { kind: 'unknown', word: unknown }
  return { kind: 'rules', rules: new Set(words.filter(isRule)) }
}

const isRule = (word: string): word is RefusalRule => refusalRules.some((rule) => rule === word)
