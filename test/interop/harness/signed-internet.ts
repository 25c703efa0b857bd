/**
 * A signed internet of real programs: zones signed by BIND's tools, each served by an NSD, and an unbound that validates them with the root's
 * key as trust anchor. Needs Debian's nsd, unbound and bind9-utils (dnssec-keygen, dnssec-signzone).
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { IpAddress } from '../../../src/base/ip.ts'
import type { NameServer } from '../../../src/dns/servers.ts'
import { isAtOrBelow } from '../../../src/dns/wire-name.ts'
import { freeAddress, freePort } from '../../lab/loopback.ts'
import { labAddress, labName } from '../../lab/names.ts'
import { until } from '../../lab/until.ts'
import { takeAlone } from './alone.ts'
import { startBind } from './bind.ts'
import { startBuiltin } from './builtin.ts'
import { startFront } from './front.ts'
import { startKnot } from './knot.ts'
import type { Home } from './name-server.ts'
import { startNsd } from './nsd.ts'
import { run, runWell, start } from './program.ts'

export interface SignedZoneWords {
  /** Without a final dot; the root is ''. */
  readonly name: string
  /** Names of its servers, in itself or above; a zone with several has them all at once in one NSD, at an address each. */
  readonly servers: readonly string[]
  /** Zone text beside SOA, NS, addresses of servers and what delegates other zones. */
  readonly text: string
  /**
   * `expired`: signed, and the signatures are over. `orphan`: signed, and the DS above fits none of its keys. `island`: signed, without a DS.
   * `sha1`: signed, the DS above of SHA-1. Default `signed`.
   */
  readonly state?: 'signed' | 'unsigned' | 'expired' | 'orphan' | 'island' | 'sha1'
  /** `opt-out`: its proofs say nothing of unsigned delegations, so what they deny may be one (RFC 5155 §6). `iterated`: hashed 30 times more. */
  readonly nsec3?: boolean | 'opt-out' | 'iterated'
  /** What serves it; a server of several zones is what the first of them says. BIND: one server in all. Default `nsd`. */
  readonly program?: 'nsd' | 'bind' | 'knot' | 'waypost'
  /** A server that has another text of it (of a signed one behind the signing, a record a line), or does not have it at all. */
  readonly differs?: Readonly<Record<string, ((text: string) => string) | 'lame'>>
  /** A server with a fault that no program of ours has: looks names of others up for strangers, drops questions with EDNS, or all over TCP. */
  readonly faults?: Readonly<Record<string, 'recurses' | 'drops-edns' | 'drops-tcp'>>
}

export interface SignedInternet {
  readonly resolver: NameServer
  readonly rootHints: readonly IpAddress[]
  /** Of all authoritative servers. */
  readonly port: number
  /** A file in which others read the root's addresses (as named.root), and one with the root's key. */
  readonly hintsFile: string
  readonly anchorFile: string
  addressOf(server: string): string
}

/** @param wantedPort  53 for programs that ask no other */
export async function startSignedInternet(
  home: Home,
  zones: readonly SignedZoneWords[],
  wantedPort?: number,
): Promise<SignedInternet> {
  const places = zones.flatMap(({ servers, program }) => servers.map((name) => [name, program] as const))
  // BIND listens on addresses of interfaces alone, which of loopback is this one.
  const addresses = new Map(places.map(([name, program]) => [name, program === 'bind' ? '127.0.0.1' : freeAddress()]))
  const addressOf = (name: string) => addresses.get(name) ?? '127.0.0.1'
  // Where the port is the same for all, another BIND would answer beside this one: it shares its place with whoever asks for it.
  if (wantedPort !== undefined && places.some(([, program]) => program === 'bind'))
    await takeAlone(home, `127.0.0.1:${wantedPort}`)
  const resolverAddress = freeAddress()
  const port = wantedPort ?? (await freePort(resolverAddress))
  const folder = join(home.folder, 'keys')
  await mkdir(folder)
  const texts = new Map<string, string>()
  // Zones below are signed first: their DS records stand in the one above.
  const deepestFirst = [...zones].sort((one, other) => depth(other.name) - depth(one.name))
  for (const zone of deepestFirst) texts.set(zone.name, await zoneText(zone, zones, addressOf, folder))
  for (const [name, address] of addresses) {
    const own = zones.filter(({ servers, differs }) => servers.includes(name) && differs?.[name] !== 'lame')
    const served = own.map((zone) => {
      const text = texts.get(zone.name) ?? ''
      const change = zone.differs?.[name]
      return { name: zone.name === '' ? '.' : zone.name, text: typeof change === 'function' ? change(text) : text }
    })
    const fault = zones.find(({ faults }) => faults?.[name])?.faults?.[name]
    const ownPort = fault ? await freePort(address) : port
    await programs[own[0]?.program ?? 'nsd'](home, { zones: served }, { address, port: ownPort })
    if (!fault) continue
    const names = own.map((zone) => labName(zone.name))
    await startFront(home, { address, port }, ({ questions: [question], edns }, over) => {
      if (fault === 'drops-tcp') return over === 'tcp' ? undefined : { address, port: ownPort }
      if (fault === 'drops-edns') return edns ? undefined : { address, port: ownPort }
      const isOwn = question && names.some((apex) => isAtOrBelow(question.name, apex))
      return isOwn ? { address, port: ownPort } : { address: resolverAddress, port }
    })
  }
  const anchorFile = join(folder, 'root.anchor')
  await startUnbound(home, zones, addressOf, { address: resolverAddress, port }, anchorFile)
  const roots = zones.find(({ name }) => name === '')?.servers ?? []
  const hintsFile = join(folder, 'named.root')
  const hints = roots.map((name) => `. 3600000 NS ${name}.\n${name}. 3600000 A ${addressOf(name)}\n`)
  await writeFile(hintsFile, hints.join(''))
  return {
    resolver: { address: labAddress(resolverAddress), port },
    rootHints: roots.map((name) => labAddress(addressOf(name))),
    port,
    hintsFile,
    anchorFile,
    addressOf,
  }
}

const programs = { nsd: startNsd, bind: startBind, knot: startKnot, waypost: startBuiltin } as const

const depth = (name: string) => (name === '' ? 0 : name.split('.').length)
const isBelow = (name: string, zone: string) => name !== zone && (zone === '' || name.endsWith(`.${zone}`))

async function zoneText(
  zone: SignedZoneWords,
  zones: readonly SignedZoneWords[],
  addressOf: (name: string) => string,
  folder: string,
): Promise<string> {
  const origin = zone.name === '' ? '.' : `${zone.name}.`
  const lines = [`$TTL 300`, `${origin} SOA ${zone.servers[0]}. hostmaster.lab. 1 3600 600 86400 60`]
  for (const server of zone.servers) lines.push(`${origin} NS ${server}.`)
  const glued = new Set(zones.flatMap(({ servers }) => servers).filter((server) => isBelow(server, zone.name)))
  const children = zones.filter(
    ({ name }) =>
      isBelow(name, zone.name) &&
      !zones.some((between) => isBelow(name, between.name) && isBelow(between.name, zone.name)),
  )
  for (const child of children) {
    for (const server of child.servers) lines.push(`${child.name}. NS ${server}.`)
    if (child.state !== 'unsigned' && child.state !== 'island') lines.push(await delegationSigner(child, folder))
  }
  for (const server of glued) lines.push(`${server}. A ${addressOf(server)}`)
  lines.push(`$ORIGIN ${origin}`, zone.text)
  const file = join(folder, `${zone.name || 'root'}.zone`)
  await writeFile(file, `${lines.join('\n')}\n`)
  return zone.state === 'unsigned' ? readFile(file, 'latin1') : sign(zone, origin, file, folder)
}

async function delegationSigner({ name, state }: SignedZoneWords, folder: string): Promise<string> {
  if (state === 'sha1') {
    const signed = join(folder, `${name}.zone.signed`)
    return (await runWell('/usr/bin/dnssec-dsfromkey', ['-a', 'SHA-1', '-f', signed, `${name}.`])).stdout
  }
  const ds = await readFile(join(folder, `dsset-${name}.`), 'latin1')
  return state === 'orphan' ? ds.replace(/\bDS\s+\d+/g, 'DS 4711') : ds
}

async function sign(zone: SignedZoneWords, origin: string, file: string, folder: string): Promise<string> {
  const generate = ['-q', '-a', 'ECDSAP256SHA256', '-K', folder]
  // Keys that exist since long ago: signatures of the past need them.
  const ksk = await runWell('/usr/bin/dnssec-keygen', [...generate, '-f', 'KSK', '-P', '-60d', '-A', '-60d', origin])
  await runWell('/usr/bin/dnssec-keygen', [...generate, '-P', '-60d', '-A', '-60d', origin])
  // Over for longer than the day that unbound forgives (`val-sig-skew-max`): at a day to the second it depends on how fast the machine is.
  const life = zone.state === 'expired' ? ['-s', 'now-30d', '-e', 'now-3d'] : ['-s', 'now-1d', '-e', 'now+20d']
  const iterations = zone.nsec3 === 'iterated' ? '30' : '0'
  const nsec3 = zone.nsec3 ? ['-3', '-', '-H', iterations, ...(zone.nsec3 === 'opt-out' ? ['-A'] : [])] : []
  const signed = `${file}.signed`
  const options = ['-q', '-S', '-O', 'full', '-K', folder, '-d', folder, '-o', origin, '-f', signed, ...life, ...nsec3]
  // It leaves out keys that are not in use at the time of signing, and warns of signatures that are over.
  const ran = await run('/usr/bin/dnssec-signzone', [...options, '-P', file])
  if (ran.code !== 0) throw new Error(`dnssec-signzone of ${origin}: ${ran.stdout}${ran.stderr}`)
  if (zone.name === '') {
    const key = await readFile(join(folder, `${ksk.stdout.trim()}.key`), 'latin1')
    await writeFile(join(folder, 'root.anchor'), key.replace(/^;.*\n/gm, ''))
  }
  return readFile(signed, 'latin1')
}

async function startUnbound(
  home: Home,
  zones: readonly SignedZoneWords[],
  addressOf: (name: string) => string,
  { address, port }: { readonly address: string; readonly port: number },
  anchor: string,
): Promise<void> {
  const folder = join(home.folder, 'unbound')
  await mkdir(folder)
  // A resolver asks port 53 of whoever it is referred to, so each zone is named with its servers and their port.
  const stubs = zones.map(({ name, servers }) =>
    ['stub-zone:', `  name: "${name}."`, ...servers.map((server) => `  stub-addr: ${addressOf(server)}@${port}`)].join(
      '\n',
    ),
  )
  const file = join(folder, 'unbound.conf')
  await writeFile(
    file,
    `server:
  interface: ${address}@${port}
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  module-config: "validator iterator"
  trust-anchor-file: "${anchor}"
  ede: yes
  num-threads: 1
  # A server that has stood still for a moment is not down.
  unknown-server-time-limit: 2000
  infra-keep-probing: yes
  local-zone: "lab." nodefault
remote-control:
  control-enable: no
${stubs.join('\n')}
`,
  )
  const daemon = await start('/usr/sbin/unbound', ['-d', '-c', file])
  home.atEnd(() => daemon.stop())
  const server = { address: labAddress(address), port }
  await until(
    async () => {
      if (daemon.hasEnded) throw new Error(`unbound ended at once: ${daemon.output}`)
      return validates(server)
    },
    90_000,
    'unbound validates',
  )
}

/** Whether it has found the root's servers and believes their key. */
async function validates(server: NameServer): Promise<boolean> {
  const place = [`@${server.address}`, '-p', String(server.port)]
  const { stdout } = await run('/usr/bin/dig', [...place, '+tries=1', '+time=5', '+dnssec', 'SOA', '.'])
  return /status: NOERROR/.test(stdout) && /flags:[^;]* ad[ ;]/.test(stdout)
}
