/**
 * What the real name servers of these tests have in common: words for their zones and keys, a folder and a place on loopback, and the wait
 * until they serve. `bind.ts`, `knot.ts`, `nsd.ts` and `powerdns.ts` start them, each as a child in the foreground that ends with the test.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../../src/base/clock.ts'
import { systemDoor } from '../../../src/base/door.ts'
import { encodeMessage, query } from '../../../src/dns/message.ts'
import type { NameServer } from '../../../src/dns/servers.ts'
import { askOverTcp } from '../../../src/dns/tcp.ts'
import { parseTsigKey, type TsigAlgorithm, type TsigKey } from '../../../src/dns/tsig/key.ts'
import { rcodes, typeCodes } from '../../../src/dns/types.ts'
import type { Lab } from '../../lab/lab.ts'
import { freeAddress, freePort } from '../../lab/loopback.ts'
import { labAddress, labName } from '../../lab/names.ts'
import { until } from '../../lab/until.ts'
import { type Running, start } from './program.ts'

/** What a name server needs of its surroundings: a lab, or a folder and a list of what runs at the end. */
export type Home = Pick<Lab, 'folder' | 'atEnd'>

export interface KeyWords {
  /** Without a final dot. */
  readonly name: string
  readonly algorithm: TsigAlgorithm
  /** Base64. */
  readonly secret: string
}

export interface ZoneWords {
  /** Without a final dot. */
  readonly name: string
  /** Zone text. Default: `smallZone`. A secondary has none. */
  readonly text?: string
  /** Names of the keys with which it may be changed (RFC 2136). Not by NSD. */
  readonly updateKeys?: readonly string[]
  /** Only records of these types may be changed. By BIND and Knot. */
  readonly updateTypes?: readonly string[]
  /** Who may transfer it: names of keys, or anybody. Default: nobody. */
  readonly transfer?: readonly string[] | 'anybody'
  /** Fetches it from there, signed with the key, and takes NOTIFY from that address. By BIND, Knot and NSD. */
  readonly primary?: { readonly address: string; readonly port: number; readonly key?: string }
}

export interface NameServerWords {
  readonly zones: readonly ZoneWords[]
  readonly keys?: readonly KeyWords[]
}

export interface RealNameServer {
  readonly address: string
  readonly port: number
  /** The same, for our own clients. */
  readonly server: NameServer
  /** With its configuration and its zone files. */
  readonly folder: string
  /** The file of a zone's text, if it keeps zones in files. */
  zoneFile(zone: string): string
  /** The command that makes it read a zone's file again: program and arguments. */
  reload(zone: string): readonly string[]
  /** Its process, for a test that stops it with SIGSTOP and lets it go on with SIGCONT. */
  readonly pid: number
  /** What it has said so far. */
  log(): string
  /** Ends it before the test does. */
  stop(): Promise<void>
}

/** SOA with serial 1, one name server, two exchangers, a TXT and addresses. */
export function smallZone(name: string): string {
  return `$ORIGIN ${name}.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
@ MX 10 mx1
@ MX 20 mx2
@ TXT "v=spf1 mx -all"
@ TXT "another-string"
ns A 192.0.2.53
mx1 A 192.0.2.1
mx2 A 192.0.2.2
www A 192.0.2.80
`
}

/** A key of random octets, as long as its hash. */
export function newKey(name: string, algorithm: TsigAlgorithm = 'hmac-sha256'): KeyWords {
  const length = { 'hmac-sha256': 32, 'hmac-sha384': 48, 'hmac-sha512': 64 }[algorithm]
  return { name, algorithm, secret: randomBytes(length).toString('base64') }
}

export function tsigKey({ name, algorithm, secret }: KeyWords): TsigKey {
  const parsed = parseTsigKey(name, algorithm, secret)
  if (parsed.kind === 'invalid') throw new Error(`${parsed.field}: ${parsed.why}`)
  return parsed.key
}

/** Where one server lives. */
export interface Place {
  readonly folder: string
  readonly address: string
  readonly port: number
  zoneFile(zone: string): string
}

/**
 * A folder of its own, its zones' texts in it, and a free port.
 * @param address  by default one that nothing else uses
 * @param wantedPort  where several servers must have the same
 */
export async function makePlace(
  home: Home,
  program: string,
  { zones }: NameServerWords,
  address = freeAddress(),
  wantedPort?: number,
): Promise<Place> {
  const port = wantedPort ?? (await freePort(address))
  await chmod(home.folder, 0o755)
  const folder = join(home.folder, `${program}-${address}-${port}`)
  await mkdir(folder)
  const zoneFile = (zone: string) => join(folder, `${zone}.zone`)
  for (const { name, text, primary } of zones) if (!primary) await writeFile(zoneFile(name), text ?? smallZone(name))
  return { folder, address, port, zoneFile }
}

/** Starts it, and waits until it answers for every zone of which it is the primary. */
export async function serve(
  home: Home,
  place: Place,
  words: NameServerWords,
  command: readonly [string, ...string[]],
  reload: (zone: string) => readonly string[],
): Promise<RealNameServer> {
  const [program, ...args] = command
  const daemon: Running = await start(program, args)
  home.atEnd(() => daemon.stop())
  const { address, port, folder, zoneFile } = place
  const server: NameServer = { address: labAddress(address), port }
  const waitingFor = words.zones.filter(({ primary }) => !primary).map(({ name }) => name)
  const serves = async () => {
    if (daemon.hasEnded) throw new Error(`${program} ended at once: ${daemon.output}`)
    while (waitingFor[0] !== undefined) {
      if (!(await answersFor(server, waitingFor[0]))) return false
      waitingFor.shift()
    }
    return true
  }
  await until(serves, 90_000, `${program} serves ${waitingFor.join(', ')}`).catch((error: Error) => {
    throw new Error(`${error.message}\n${daemon.output}`)
  })
  const { pid } = daemon
  return { address, port, server, folder, pid, zoneFile, reload, log: () => daemon.output, stop: () => daemon.stop() }
}

/** Whether it answers the zone's SOA with authority: of a secondary, whether it has fetched the zone. */
export async function answersFor(server: NameServer, zone: string): Promise<boolean> {
  const flags = await flagsFrom(server, zone)
  return flags !== undefined && (flags & 15) === rcodes.noError && (flags & 0x400) !== 0
}

/** The same of a resolver, which has none. */
export async function answersFrom(server: NameServer, zone: string): Promise<boolean> {
  const flags = await flagsFrom(server, zone)
  return flags !== undefined && (flags & 15) === rcodes.noError
}

/** RFC 1035 §4.1.1 */
async function flagsFrom(server: NameServer, zone: string): Promise<number | undefined> {
  const bytes = encodeMessage(
    query(labName(zone), typeCodes.SOA, 1, { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }),
  )
  const answer = await askOverTcp(server, bytes, 2_000, new Set(), { clock: systemClock, door: systemDoor })
  return answer.kind === 'message' && answer.bytes.length >= 12 ? answer.bytes.readUInt16BE(2) : undefined
}
