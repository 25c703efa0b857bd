/** The options of `waypost check` → what is examined and how. Called by `check.ts`. */
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { rootCertificates } from 'node:tls'
import type { Clock } from '../../base/clock.ts'
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import type { CheckerOptions } from '../../checks/check-domain.ts'
import type { Severity } from '../../checks/finding.ts'
import type { FormatName } from '../../checks/report/format.ts'
import type { Rule } from '../../checks/rule.ts'
import { hintAtCheck, leftOut } from '../../checks/rule-ids.ts'
import { allRules } from '../../checks/rules/all.ts'
import { type HostName, isHostName, parseName } from '../../dns/name.ts'
import type { NameServer } from '../../dns/servers.ts'
import type { Mailbox } from '../../mail/address.ts'
import type { Declared } from './domains.ts'
import { introduceTo } from './own-probe.ts'

export interface CheckFlags {
  readonly config?: string
  readonly input?: string
  readonly output?: string
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly format?: FormatName
  readonly json?: boolean
  readonly concurrency?: number
  readonly resolver?: readonly NameServer[]
  readonly smtp: boolean
  readonly smtpPort?: number
  readonly dnsPort?: number
  readonly httpsPort?: number
  readonly from?: Mailbox
  readonly helo?: HostName
  readonly rules?: readonly string[]
  readonly skip?: readonly string[]
  readonly private?: boolean
  readonly probe?: 'full' | 'polite' | 'none'
  readonly timeout?: number
  readonly ipv4?: boolean
  readonly ipv6?: boolean
  readonly failOn: Severity
  readonly explain?: string
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly rootHints?: string
  readonly ca?: string
  readonly validationZones?: { readonly signed: HostName; readonly broken: HostName }
  readonly knownExchanger?: HostName
}

export type ChosenRules =
  | { readonly kind: 'rules'; readonly rules: readonly Rule[] }
  | { readonly kind: 'wrong'; readonly why: string }

export function chooseRules({ rules, skip = [] }: Pick<CheckFlags, 'rules' | 'skip'>): ChosenRules {
  const known = new Map<string, Rule>(allRules.map((rule) => [rule.id, rule]))
  for (const id of [...(rules ?? []), ...skip]) {
    if (known.has(id)) continue
    const reason: string | undefined = Object.hasOwn(leftOut, id) ? leftOut[id as keyof typeof leftOut] : undefined
    if (reason !== undefined) return { kind: 'wrong', why: `"${id}" is no check here. ${reason}` }
    return { kind: 'wrong', why: `"${id}" is no check${hintAtCheck(id)}` }
  }
  const chosen = allRules.filter(({ id }) => (rules?.includes(id) ?? true) && !skip.includes(id))
  return chosen.length > 0 ? { kind: 'rules', rules: chosen } : { kind: 'wrong', why: 'no check is left' }
}

/**
 * @param declared  what waypost.yaml says, for where no flag does
 * @throws where a file that is named cannot be read
 */
export async function checkerOptions(
  flags: CheckFlags,
  rules: readonly Rule[],
  declared: Pick<Declared, 'hostname' | 'state' | 'resolvers'>,
  clock: Clock,
): Promise<CheckerOptions> {
  const helo = flags.helo ?? declared.hostname ?? machineName()
  const resolvers = flags.resolver ?? declared.resolvers
  const { hostname: ownName, state } = declared
  return {
    rules,
    ...(resolvers.length > 0 ? { resolvers } : {}),
    ...(await laboratoryOf(flags)),
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
    ...(flags.ca === undefined ? {} : { roots: [...rootCertificates, await readFile(flags.ca, 'utf8')] }),
    ...(helo === undefined ? {} : { helo }),
    ...(ownName && state !== undefined ? { introduce: introduceTo({ hostname: ownName, state }, clock) } : {}),
    from: flags.from,
    families: flags.ipv4 ? 'ipv4' : flags.ipv6 ? 'ipv6' : 'both',
  }
}

/** Where the Internet is another one than the world's. */
export type LaboratoryFlags = Pick<
  CheckFlags,
  'rootHints' | 'dnsPort' | 'smtpPort' | 'httpsPort' | 'validationZones' | 'knownExchanger' | 'private'
>

/** @throws where a file that is named cannot be read */
export async function laboratoryOf(flags: LaboratoryFlags): Promise<CheckerOptions> {
  return {
    ...(flags.rootHints === undefined ? {} : { rootHints: await readRootHints(flags.rootHints) }),
    ...(flags.dnsPort === undefined ? {} : { dnsPort: flags.dnsPort }),
    ...(flags.smtpPort === undefined ? {} : { smtpPort: flags.smtpPort }),
    ...(flags.httpsPort === undefined ? {} : { httpsPort: flags.httpsPort }),
    ...(flags.validationZones ? { validation: flags.validationZones } : {}),
    ...(flags.knownExchanger ? { knownExchanger: flags.knownExchanger } : {}),
    isPrivate: flags.private === true,
  }
}

/** A name without a dot would be refused by many. */
function machineName(): HostName | undefined {
  const parsed = parseName(hostname())
  return parsed.kind === 'name' && isHostName(parsed.name) && parsed.name.includes('.') ? parsed.name : undefined
}

/** A file of the form of IANA's named.root: the addresses at the ends of its lines, whatever stands before them. */
async function readRootHints(path: string): Promise<readonly IpAddress[]> {
  const addresses = (await readFile(path, 'utf8')).split('\n').flatMap((line) => {
    const address = parseIp(line.replace(/;.*/, '').trim().split(/\s+/).at(-1) ?? '')
    return address ? [address] : []
  })
  if (addresses.length > 0) return addresses.toSorted((one, other) => Number(isIpv6(one)) - Number(isIpv6(other)))
  throw Object.assign(new Error(`${path} holds no address of a root server`), { code: 'NO_ROOT_HINTS' })
}
