/**
 * What can be seen from here, found out once a run and only when it matters: whether the resolver validates, whether IPv4, IPv6 and port 25
 * get out. Without it our own faults would be told as those of others.
 */
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import { isOnThisMachine } from '../../dns/servers.ts'
import { rcodes, typeCodes } from '../../dns/types.ts'
import { nameFromHost, rootWireName, type WireName } from '../../dns/wire-name.ts'
import type { Vantage } from '../facts.ts'
import type { CheckOptions } from '../options.ts'
import type { Exchange } from './exchange.ts'

export interface VantagePoint {
  validation(): Promise<Vantage['validation']>
  family(family: 'ipv4' | 'ipv6'): Promise<Vantage['ipv4']>
  port25(): Promise<Vantage['port25']>
}

export interface VantageDeps {
  readonly clock: Clock
  readonly door: Door
  readonly exchange: Exchange
  /** The recursive servers that are asked. */
  readonly resolvers: () => Promise<readonly { readonly address: IpAddress; readonly port: number }[]>
}

/** Root servers of a family that are asked before it counts as broken. */
const rootsToAsk = 3
const connectMs = 5_000

export function createVantagePoint(options: CheckOptions, deps: VantageDeps): VantagePoint {
  const families = new Map<string, Promise<Vantage['ipv4']>>()
  let validation: Promise<Vantage['validation']> | undefined
  let port25: Promise<Vantage['port25']> | undefined
  return {
    validation() {
      validation ??= examineValidation(options, deps)
      return validation
    },
    family(family) {
      const known = families.get(family) ?? examineFamily(family, options, deps)
      families.set(family, known)
      return known
    },
    port25() {
      port25 ??= examinePort25(options, deps)
      return port25
    },
  }
}

/** RFC 4035 §4.9.3. A signed zone must give AD, and a broken one SERVFAIL: some resolvers set AD and check nothing. */
async function examineValidation(options: CheckOptions, deps: VantageDeps): Promise<Vantage['validation']> {
  const [server] = await deps.resolvers()
  if (!server || !options.validation) return 'not-examined'
  const { signed, broken } = options.validation
  const [good, bad] = await Promise.all([
    askResolver(nameFromHost(signed), typeCodes.SOA, options, deps),
    askResolver(nameFromHost(broken), typeCodes.A, options, deps),
  ])
  if (good?.kind !== 'response' || bad?.kind !== 'response') return 'not-examined'
  if (!good.message.authenticData || bad.message.rcode !== rcodes.servFail) return 'none'
  return options.trustsResolver || isOnThisMachine(server) ? 'trusted' : 'remote'
}

async function askResolver(name: WireName, type: number, options: CheckOptions, deps: VantageDeps) {
  const [server] = await deps.resolvers()
  if (!server) return undefined
  const question = { name, type, over: 'udp', edns: true, recursion: true, checkingDisabled: false } as const
  const first = await deps.exchange.ask(server, question, options.dnsTimeoutMs)
  return first.kind === 'response' ? first : deps.exchange.ask(server, question, options.dnsTimeoutMs)
}

async function examineFamily(
  family: 'ipv4' | 'ipv6',
  options: CheckOptions,
  deps: VantageDeps,
): Promise<Vantage['ipv4']> {
  const roots = options.rootHints.filter((address) => isIpv6(address) === (family === 'ipv6')).slice(0, rootsToAsk)
  const question = {
    name: rootWireName,
    type: typeCodes.NS,
    over: 'udp',
    edns: false,
    recursion: false,
    checkingDisabled: false,
  } as const
  if (roots.length === 0) return 'not-examined'
  const answers = await Promise.all(
    roots.map((address) => deps.exchange.ask({ address, port: options.dnsPort }, question, options.dnsTimeoutMs)),
  )
  return answers.some(({ kind }) => kind === 'response' || kind === 'malformed') ? 'works' : 'broken'
}

/** Providers of machines close port 25 to the outside; then every exchanger seems dead. */
async function examinePort25(options: CheckOptions, deps: VantageDeps): Promise<Vantage['port25']> {
  if (!options.knownExchanger) return 'not-examined'
  const exchanged = await askResolver(nameFromHost(options.knownExchanger), typeCodes.A, options, deps)
  if (exchanged?.kind !== 'response') return 'not-examined'
  const addresses = exchanged.message.answers.flatMap(({ data }) => (data.type === 'A' ? [data.address] : []))
  const [address] = addresses
  if (!address) return 'not-examined'
  return (await connects(address, options, deps)) ? 'open' : 'blocked'
}

function connects(address: IpAddress, options: CheckOptions, { clock, door }: VantageDeps): Promise<boolean> {
  const opening = door.open('check', { kind: 'tcp', address, port: options.smtpPort }, options.isPrivate)
  if (opening.kind === 'forbidden') return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = (isOpen: boolean) => {
      timer.cancel()
      opening.socket.destroy()
      resolve(isOpen)
    }
    const timer = clock.after(options.probeLimits.connectMs ?? connectMs, () => end(false))
    opening.socket.once('connect', () => end(true))
    // Refused is an answer from there: packets to the port get out.
    opening.socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'))
  })
}
