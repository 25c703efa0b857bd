/**
 * The built-in DNS server within `waypost serve`: made of `listen.dns`, `dns:` and the zones in the state folder. `waypost apply` changes the
 * zones and asks for `dns.reload` through the control socket.
 */

import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader, type SecretReader } from '../../base/secret.ts'
import type { Loaded } from '../../config/load.ts'
import { type AuthorityOptions, createAuthority } from '../../dns/authoritative/authority.ts'
import { localAddresses } from '../../dns/authoritative/local-addresses.ts'
import type { NameServer } from '../../dns/servers.ts'
import { parseTsigKey, type TsigKey } from '../../dns/tsig/key.ts'
import { foldName, nameFromText, type WireName } from '../../dns/wire-name.ts'
import type { ControlAnswer, ControlHandlers } from '../../gateway/operate/control.ts'
import { createSerialStore } from '../../publish/builtin/builtin-serials.ts'
import { createBuiltinZoneReader } from '../../publish/builtin/builtin-zones.ts'
import { createExchangerHealth } from '../../publish/builtin/exchanger-health.ts'
import { makeFirstZones } from '../../publish/builtin/first-zones.ts'
import { createHealthyMarker, healthyHosts, watchedAddresses } from '../../publish/builtin/healthy-hosts.ts'
import { unitText } from '../../publish/plan/examine.ts'
import { builtinFolder } from '../../publish/targets/builtin-zone.ts'
import type { DnsServerFigures } from '../../web/deps.ts'

export interface DnsService {
  readonly kind: 'dns'
  /** Rejects with the system's error where it cannot listen. */
  start(): Promise<void>
  /** Makes what is declared for the first time, and reads the zones again. @returns in words, what of it takes a restart */
  configured(loaded: Loaded): Promise<string | undefined>
  readonly handlers: ControlHandlers
  readonly bound: readonly NameServer[]
  /** Undefined where there is no server. */
  readonly figures: DnsServerFigures | undefined
  /** To be called as soon as it is known that `stop` will be: what takes long ends soon. */
  stopSoon(): void
  stop(): Promise<void>
}

export type CreatedDns = DnsService | { readonly kind: 'failed'; readonly why: string }

/** Without `listen.dns` it does nothing. */
export async function createDnsService(loaded: Loaded, log: Log): Promise<CreatedDns> {
  const { listenDns } = loaded.publishing
  if (listenDns.length === 0) return nothing
  const secrets = createSecretReader((name) => process.env[name])
  const options = await readOptions(loaded, secrets)
  if (typeof options === 'string') return { kind: 'failed', why: options }
  const folder = builtinFolder(loaded.settings.state)
  const readZones = createBuiltinZoneReader(folder)
  let inFiles: ReadonlyMap<WireName, number> = new Map()
  const serials = createSerialStore(join(folder, 'serials.json'), (origin) => inFiles.get(origin))
  const tools = { clock: systemClock, random: systemRandom, log }
  const { interval, timeout, port } = loaded.publishing.dns.health
  const health = createExchangerHealth(
    { intervalMs: interval, timeoutMs: timeout, port, hello: loaded.settings.hostname },
    { ...tools, door: systemDoor, changed: () => authority.healthChanged() },
  )
  const authority = createAuthority(options, { ...tools, serials, isDown: health.isDown })
  const withHealthy = createHealthyMarker()
  let hosts: ReadonlySet<WireName> = new Set()
  let isStopping = false

  /** @param written  the zones whose files are other ones than before; undefined: that is to be found out */
  const reload = async (written?: readonly WireName[]): Promise<ControlAnswer> => {
    const { zones, problems } = await readZones(written)
    inFiles = new Map(
      zones.flatMap(({ origin, records }) => {
        const soa = records.find(({ data }) => data.type === 'SOA')?.data
        return soa?.type === 'SOA' ? [[foldName(origin), soa.serial] as const] : []
      }),
    )
    for (const { file, why } of problems) log.error('dns zone file rejected', { file: join(folder, file), why })
    const { changed, unchanged, removed, rejected } = await authority.replaceZones(withHealthy(zones, hosts))
    const [wrong] = [...problems.map(({ why }) => why), ...rejected.map(({ why }) => why)]
    if (wrong !== undefined)
      return { kind: 'failed', why: `a zone is not served as its file says: ${wrong}; see the log` }
    return { kind: 'done', result: { changed: changed.length, unchanged, removed } }
  }
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }

  return {
    kind: 'dns',
    async start() {
      await authority.start()
      log.info('dns listening', { dns: authority.bound.map(placeText) })
    },
    async configured(now) {
      await inTurn(async () => {
        const { settings, publishing } = now
        const { state, hostname } = settings
        const { made, problems } = await makeFirstZones(publishing.declarations, publishing.publishers, {
          ...{ clock: systemClock, state, hostname },
          isStopping: () => isStopping,
        })
        if (made > 0) log.info('dns zones made', { made, folder: builtinFolder(settings.state) })
        for (const { unit, why } of problems) log.error('dns zone not made', { zone: unitText(unit), why })
        hosts = healthyHosts(publishing.declarations)
        health.watch(watchedAddresses(publishing.declarations, ownAddresses(settings)))
        await reload()
      })
      return JSON.stringify(now.publishing.listenDns) === JSON.stringify(listenDns) ? undefined : takesRestart
    },
    handlers: { 'dns.reload': ({ zones }) => inTurn(() => reload(namesIn(zones))) },
    get bound() {
      return authority.bound
    },
    get figures() {
      const { statistics } = authority
      return { ...statistics, answers: { ...statistics.answers } }
    },
    stopSoon() {
      isStopping = true
    },
    stop() {
      health.stop()
      return authority.stop()
    },
  }
}

/** Where mail for this very process comes in, as others see it too. */
function ownAddresses({ listen, publicAddresses }: Loaded['settings']): ReadonlySet<IpAddress> {
  const interfaces = networkInterfaces()
  return new Set([...listen.flatMap(({ address }) => localAddresses(address, interfaces)), ...publicAddresses])
}

const takesRestart = 'listen.dns is another one now, which takes a restart'

const nothing: DnsService = {
  kind: 'dns',
  async start() {},
  configured: async ({ publishing }) => (publishing.listenDns.length === 0 ? undefined : takesRestart),
  // Who applies to the built-in server is told before that there is none.
  handlers: {
    'dns.reload': () => ({ kind: 'failed', why: 'the gateway that runs has no listen.dns yet, which takes a restart' }),
  },
  bound: [],
  figures: undefined,
  stopSoon() {},
  async stop() {},
}

/** Undefined where they are not all names: then every file is looked at. */
function namesIn(given: unknown): WireName[] | undefined {
  if (!Array.isArray(given)) return undefined
  const names = given.flatMap((text) => {
    const read = typeof text === 'string' ? nameFromText(text) : undefined
    return read?.kind === 'name' ? [read.name] : []
  })
  return names.length === given.length ? names : undefined
}

const placeText = ({ address, port }: NameServer) => `${isIpv6(address) ? `[${address}]` : address}:${port}`

/** @returns in words, what is wrong with a secret */
async function readOptions({ publishing }: Loaded, secrets: SecretReader): Promise<AuthorityOptions | string> {
  const { dns, listenDns } = publishing
  const keys = new Map<string, TsigKey>()
  for (const [name, { algorithm, secret }] of Object.entries(dns.keys)) {
    const read = await secrets(secret)
    if (read.kind === 'missing') return `dns.keys.${name}: ${read.why}`
    const parsed = parseTsigKey(name, algorithm, read.text)
    if (parsed.kind === 'invalid') return `dns.keys.${name}: its ${parsed.field} is none: ${parsed.why}`
    keys.set(name, parsed.key)
  }
  const cookieSecrets: Buffer[] = []
  for (const source of dns.cookies.secrets) {
    const read = await secrets(source)
    if (read.kind === 'missing') return `dns.cookies.secrets: ${read.why}`
    if (!/^[0-9a-f]{32}$/i.test(read.text.trim())) return 'dns.cookies.secrets: one of them is not 32 hex digits'
    cookieSecrets.push(Buffer.from(read.text.trim(), 'hex'))
  }
  const { rateLimit, udpBytes, tcp } = dns
  const { connections, connectionsPerClient, questionsPerSecond, idle: idleMs } = tcp
  return {
    listen: listenDns,
    rateLimit,
    cookies: { policy: dns.cookies.policy, secrets: cookieSecrets },
    udpBytes,
    tcp: { connections, connectionsPerClient, questionsPerSecond, idleMs },
    secondaries: dns.secondaries.map(({ address, key }) => ({
      server: address,
      key: key === undefined ? undefined : keys.get(key),
    })),
    healthyTtlSeconds: dns.healthyTtl / 1000,
  }
}
