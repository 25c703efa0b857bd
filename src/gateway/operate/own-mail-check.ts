/**
 * Looks at what mail of our own needs, so that notices are not taken for spam or lost: a name for each address that leads back to it, SPF for our
 * name (which is what receivers ask about mail from `<>`, RFC 7208 §2.4), and a way out by port 25. Called by `waypost config check`. Nobody is
 * bothered: DNS is asked, and a connection is opened and closed without a word.
 */
import { type Clock, within } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { type IpAddress, ipBytes, isIpv6, parseIp, whyNotPublic } from '../../base/ip.ts'
import { isLoopback } from '../../base/loopback.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { hostFromName, nameFromHost, nameFromLabels, nameText } from '../../dns/wire-name.ts'
import type { Mailbox } from '../../mail/address.ts'
import { addressText } from '../../routing/backend.ts'
import { lookupExchangers } from '../../routing/exchangers.ts'
import { askSpf } from '../notices/spf.ts'
import type { GatewaySettings } from '../settings.ts'

export interface OwnMailFinding {
  readonly about: 'name' | 'ptr' | 'spf' | 'port-25'
  /** `not-checked`: it could not be told, and says nothing for or against. */
  readonly kind: 'fine' | 'doubt' | 'not-checked'
  /** With what can be done about it. */
  readonly text: string
}

export interface OwnMailDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
  readonly resolver: Resolver
}

const connectMs = 5_000
const mostAddresses = 8
/** Declared domains whose other exchangers are tried. */
const mostDomains = 3

export async function checkOwnMail(settings: GatewaySettings, deps: OwnMailDeps): Promise<readonly OwnMailFinding[]> {
  const { via } = settings.outbound
  if (via) return [await checkVia(settings, deps)]
  const listensOutside = settings.listen.some(({ address }) => !isLoopback(address))
  // It listens on this machine alone: nobody outside hears of it, and nothing is wrong with that.
  if (!listensOutside && settings.publicAddresses.length === 0) return []
  const addresses = await ownAddresses(settings, deps)
  const outwards = await checkPort25(settings, deps)
  if (addresses.length === 0) {
    const text = `${settings.hostname} has no public address in DNS: receivers distrust mail from a name that leads nowhere. Give it A and AAAA records, or set hostname`
    return [{ about: 'name', kind: 'doubt', text }, outwards]
  }
  const names = await Promise.all(addresses.map((address) => checkName(address, deps)))
  const spf = await Promise.all(addresses.map((address) => checkSpf(settings.hostname, address, deps)))
  return [...names, ...spf, outwards]
}

/** Those that the world sees: as the configuration says, else as DNS says. */
async function ownAddresses(
  { hostname, publicAddresses }: GatewaySettings,
  { resolver }: OwnMailDeps,
): Promise<readonly IpAddress[]> {
  if (publicAddresses.length > 0) return publicAddresses.slice(0, mostAddresses)
  const found = await addressesOf(hostname, resolver)
  return found.filter((address) => whyNotPublic(address) === undefined).slice(0, mostAddresses)
}

async function addressesOf(host: HostName, resolver: OwnMailDeps['resolver']): Promise<readonly IpAddress[]> {
  const name = nameFromHost(host)
  const [v4, v6] = await Promise.all([resolver.resolve(name, 'A'), resolver.resolve(name, 'AAAA')])
  return [v4, v6].flatMap((each) => (each.kind === 'answer' ? each.records.map(({ data }) => data.address) : []))
}

/** RFC 1912 §2.1: a PTR that leads back. Large receivers refuse mail without one. */
async function checkName(address: IpAddress, { resolver }: OwnMailDeps): Promise<OwnMailFinding> {
  const reversed = nameFromLabels(reverseLabels(address))
  if (reversed.kind === 'invalid') throw new TypeError(`no reverse name of ${address}: ${reversed.why}`)
  const found = await resolver.resolve(reversed.name, 'PTR')
  if (found.kind === 'failed') return notChecked('ptr', `the name of ${address}: ${found.why}`)
  const targets = found.kind === 'answer' ? found.records.map(({ data }) => data.target) : []
  const remedy = 'Have whoever gave you the address set its PTR record to your hostname'
  if (targets.length === 0)
    return {
      about: 'ptr',
      kind: 'doubt',
      text: `${address} has no name (PTR): many receivers refuse mail from it. ${remedy}`,
    }
  for (const target of targets.slice(0, mostAddresses)) {
    const host = hostFromName(target)
    if (host !== undefined && (await addressesOf(host, resolver)).includes(address))
      return { about: 'ptr', kind: 'fine', text: `${address} is ${host}, which leads back to it` }
  }
  const names = targets.slice(0, 3).map(nameText).join(', ')
  return { about: 'ptr', kind: 'doubt', text: `the name of ${address} (${names}) does not lead back to it. ${remedy}` }
}

async function checkSpf(hostname: HostName, address: IpAddress, deps: OwnMailDeps): Promise<OwnMailFinding> {
  const sender: Mailbox = {
    localPart: 'postmaster',
    domain: hostname,
    literal: undefined,
    text: `postmaster@${hostname}`,
  }
  const client = { address, port: 25, hello: hostname, esmtp: true, tls: undefined }
  const spf = await askSpf(sender, client, { ...deps, resolver: () => deps.resolver, hostname: () => hostname })
  const remedy = `Publish a TXT record at ${hostname}: "v=spf1 a -all", or one that names ${address}`
  switch (spf.kind) {
    case 'pass':
      return { about: 'spf', kind: 'fine', text: `SPF of ${hostname} passes for ${address}` }
    case 'broad':
      return { about: 'spf', kind: 'doubt', text: `SPF of ${hostname} lets nearly everybody pass. ${remedy}` }
    case 'unanswered':
      return notChecked('spf', `SPF of ${hostname}: DNS did not answer`)
    case 'no-pass':
      if (spf.result === 'none')
        return {
          about: 'spf',
          kind: 'doubt',
          text: `${hostname} has no SPF record, so nothing says that its mail is its own. ${remedy}`,
        }
      return { about: 'spf', kind: 'doubt', text: `SPF of ${hostname} says ${spf.result} for ${address}. ${remedy}` }
  }
}

/** Whether an exchanger of others can be reached: those that stand beside us in the MX sets of declared domains. */
async function checkPort25(settings: GatewaySettings, deps: OwnMailDeps): Promise<OwnMailFinding> {
  const targets: IpAddress[] = []
  for (const { name, subdomains } of settings.destinations.domains.slice(0, mostDomains)) {
    if (subdomains) continue
    const ownAddresses = settings.listen.map(({ address }) => address)
    const own = {
      ownNames: [settings.hostname],
      ownAddresses,
      publicAddresses: settings.publicAddresses,
      private: false,
    }
    const found = await lookupExchangers(name, own, deps)
    if (found.kind === 'candidates') targets.push(...found.candidates.flatMap(({ addresses }) => addresses.slice(0, 2)))
  }
  const tried = [...new Set(targets)].slice(0, 4)
  if (tried.length === 0)
    return notChecked(
      'port-25',
      'port 25 outwards: no exchanger of your domains but us is known, and strangers are not bothered',
    )
  for (const address of tried) {
    if (await connects(address, 25, 'check', deps))
      return {
        about: 'port-25',
        kind: 'fine',
        text: `port 25 outwards is open: ${addressText({ address, port: 25 })} answers`,
      }
  }
  const text = `port 25 outwards seems to be closed: ${tried.join(', ')} do not answer. Many networks close it; ask for it to be opened, or set outbound.via`
  return { about: 'port-25', kind: 'doubt', text }
}

async function checkVia({ outbound }: GatewaySettings, deps: OwnMailDeps): Promise<OwnMailFinding> {
  for (const { backend } of outbound.via?.entries ?? []) {
    const { address } = backend
    if (!('host' in address)) continue
    const ip = parseIp(address.host)
    const ips = ip ? [ip] : await addressesOf(address.host as HostName, deps.resolver)
    for (const each of ips.slice(0, mostAddresses)) {
      if (await connects(each, address.port, 'backend', deps))
        return {
          about: 'port-25',
          kind: 'fine',
          text: `${backend.url} (outbound.via) answers; names and SPF are its own`,
        }
    }
  }
  const text = 'no server of outbound.via answers now, so notices would wait. Look whether it runs and lets us connect'
  return { about: 'port-25', kind: 'doubt', text }
}

async function connects(
  address: IpAddress,
  port: number,
  purpose: 'check' | 'backend',
  { clock, door }: OwnMailDeps,
): Promise<boolean> {
  const opening = door.open(purpose, { kind: 'tcp', address, port })
  if (opening.kind === 'forbidden') return false
  const { socket } = opening
  const connected = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  try {
    return (await within(connected, clock.monotonicMs() + connectMs, clock)) ?? false
  } finally {
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

/** RFC 1035 §3.5, RFC 3596 §2.5 */
function reverseLabels(address: IpAddress): readonly string[] {
  const octets = [...ipBytes(address)].reverse()
  if (!isIpv6(address)) return [...octets.map(String), 'in-addr', 'arpa']
  return [...octets.flatMap((octet) => [(octet & 15).toString(16), (octet >> 4).toString(16)]), 'ip6', 'arpa']
}

const notChecked = (about: OwnMailFinding['about'], text: string): OwnMailFinding => ({
  about,
  kind: 'not-checked',
  text,
})
