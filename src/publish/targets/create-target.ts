/** A publisher of waypost.yaml and a zone → the target that reads and changes it, with its secrets read. Called by `examine.ts`. */

import { readFile } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import type { IpAddress } from '../../base/ip.ts'
import { makeFolder } from '../../base/make-folder.ts'
import type { Random } from '../../base/random.ts'
import type { SecretReader } from '../../base/secret.ts'
import type { HostName } from '../../dns/name.ts'
import type { NameServer } from '../../dns/servers.ts'
import { createTransport } from '../../dns/transport.ts'
import { parseTsigKey, type TsigKey } from '../../dns/tsig/key.ts'
import { plainNameText, type WireName } from '../../dns/wire-name.ts'
import type { PublisherOptions } from '../options.ts'
import { askSerial } from '../sets/ask-server.ts'
import type { ApiWait } from './api/api-client.ts'
import { createCloudflareTarget } from './api/cloudflare.ts'
import { createPowerDnsTarget } from './api/powerdns.ts'
import { createRoute53Target } from './api/route53.ts'
import type { AwsKey } from './api/sign-aws.ts'
import { builtinFolder, builtinZonePath, newZoneOf, newZoneText } from './builtin-zone.ts'
import { createRfc2136Target } from './rfc2136.ts'
import type { Target, TargetFailure } from './target.ts'
import { type CommandOutcome, runCommand } from './zone-file/command.ts'
import { whyRefused } from './zone-file/replace-zone-file.ts'
import { createZoneFileTarget } from './zone-file/zone-file.ts'

export interface TargetDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
  readonly secrets: SecretReader
  /** Of the host of an API, best first; empty where it has none. */
  readonly addressesOf: (host: HostName) => Promise<readonly IpAddress[]>
  /** Told before each pause that a busy API asks for. */
  readonly onWait?: (wait: ApiWait) => void
  readonly builtin: BuiltinDeps
}

/** What there is to know of the built-in server. */
export interface BuiltinDeps {
  /** The state folder. */
  readonly state: string
  readonly hostname: HostName
  /** `listen.dns`; empty: there is none. */
  readonly listen: readonly NameServer[]
  /** Has the running gateway read this zone again; done, too, where none is running. */
  readonly load: (zone: WireName) => Promise<CommandOutcome>
}

export type CreatedTarget = { readonly kind: 'target'; readonly target: Target } | TargetFailure

const builtinTimeoutMs = 10_000

const zoneFileRemedy = 'Have the server read the file by hand, and mend "reload:" for the next time.'
const builtinRemedy =
  'The gateway reads the zone when it is restarted. Where that is not needed, "waypost apply" once more has it read.'

/** @param publisher  its name under `publishers:` */
export async function createTarget(
  publisher: string,
  options: PublisherOptions,
  zone: WireName,
  deps: TargetDeps,
): Promise<CreatedTarget> {
  switch (options.type) {
    case 'rfc2136': {
      const key = await readKey(options.tsig, publisher, deps)
      if (key && 'why' in key) return key
      const { server, timeout: timeoutMs } = options
      return made(createRfc2136Target({ publisher, zone, server, key, timeoutMs }, deps))
    }
    case 'zonefile': {
      const { reload, check, includes, timeout: commandMs, servers = [] } = options
      const path = options.path.replaceAll('{zone}', plainNameText(zone))
      const load =
        reload &&
        (() =>
          runCommand(
            reload.map((word) => word.replaceAll('{zone}', plainNameText(zone))),
            commandMs,
            deps.clock,
          ))
      const said = { publisher, zone, path, servers, check, commandMs, includes }
      return made(fileTarget(said, { load, loadRemedy: zoneFileRemedy, newZone: undefined }, deps))
    }
    case 'powerdns': {
      const apiKey = await deps.secrets(options.apiKey)
      if (apiKey.kind === 'missing') return missing(publisher, apiKey.why)
      const ca = await readRoots(options.ca)
      if (typeof ca === 'object') return ca
      const { url, serverId, servers = [], timeout: timeoutMs } = options
      const said = { publisher, zone, url, serverId, apiKey: apiKey.text, ca, servers, timeoutMs }
      return made(createPowerDnsTarget(said, deps))
    }
    case 'cloudflare': {
      const token = await deps.secrets(options.token)
      if (token.kind === 'missing') return missing(publisher, token.why)
      const ca = await readRoots(options.ca)
      if (typeof ca === 'object') return ca
      const { url, zoneId, servers = [], timeout: timeoutMs } = options
      return made(
        createCloudflareTarget({ publisher, zone, url, token: token.text, zoneId, ca, servers, timeoutMs }, deps),
      )
    }
    case 'route53': {
      const key = await readAwsKey(options, publisher, deps)
      if ('why' in key) return key
      const ca = await readRoots(options.ca)
      if (typeof ca === 'object') return ca
      const { url, zoneId, region, servers = [], timeout: timeoutMs } = options
      const said = { publisher, zone, url, region, key, zoneId, ca, servers, timeoutMs, syncMs }
      return made(createRoute53Target(said, deps))
    }
    case 'builtin':
      return builtinTarget(publisher, options, zone, deps)
  }
}

const made = (target: Target): CreatedTarget => ({ kind: 'target', target })

function builtinTarget(
  publisher: string,
  options: Extract<PublisherOptions, { type: 'builtin' }>,
  zone: WireName,
  deps: TargetDeps,
): CreatedTarget {
  const { state, hostname, listen, load } = deps.builtin
  if (listen.length === 0)
    return {
      kind: 'refused',
      why: 'there is no built-in DNS server: listen.dns is not set',
      remedy: 'Say listen: { dns: "127.0.0.1:5353" }, or name another publisher.',
    }
  const path = builtinZonePath(builtinFolder(state), zone)
  const servers = options.servers ?? listen.map(reachable)
  const newZone = () => newZoneText(newZoneOf(zone, options, hostname, deps.clock.now()))
  const target = fileTarget(
    { publisher, zone, path, servers, check: undefined, commandMs: builtinTimeoutMs },
    { load: () => load(zone), loadRemedy: builtinRemedy, newZone },
    deps,
  )
  return made({
    ...target,
    place: 'the built-in server',
    async apply(changes) {
      await makeFolder(builtinFolder(state))
      return target.apply(changes)
    },
  })
}

/** Who listens everywhere is asked here. */
const reachable = ({ address, port }: NameServer): NameServer => ({
  address: (address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address) as IpAddress,
  port,
})

function fileTarget(
  options: Parameters<typeof createZoneFileTarget>[0],
  parts: Pick<Parameters<typeof createZoneFileTarget>[1], 'load' | 'loadRemedy' | 'newZone'>,
  deps: TargetDeps,
): Target {
  const transport = createTransport(deps)
  const { clock, random } = deps
  const target = createZoneFileTarget(options, {
    ...{ clock, random },
    ...parts,
    liveSerial: (server) => askSerial(transport, server, options.zone, serialMs),
  })
  return { ...target, close: () => transport.close() }
}

/** A server that does not answer has no say in the serial, and must not hold up the change. */
const serialMs = 2_000

async function readKey(
  tsig: Extract<PublisherOptions, { type: 'rfc2136' }>['tsig'],
  publisher: string,
  deps: TargetDeps,
): Promise<TsigKey | TargetFailure | undefined> {
  if (!tsig) return undefined
  const secret = await deps.secrets(tsig.secret)
  if (secret.kind === 'missing') return missing(publisher, secret.why)
  const parsed = parseTsigKey(tsig.name, tsig.algorithm, secret.text)
  if (parsed.kind === 'key') return parsed.key
  return { kind: 'refused', why: `the ${parsed.field} of the key of ${publisher} is none: ${parsed.why}` }
}

/** Route 53 says that most changes are at all of its servers within 60 s. */
const syncMs = 180_000

async function readAwsKey(
  { accessKeyId, secretAccessKey, sessionToken }: Extract<PublisherOptions, { type: 'route53' }>,
  publisher: string,
  deps: TargetDeps,
): Promise<AwsKey | TargetFailure> {
  const id = await deps.secrets(accessKeyId)
  if (id.kind === 'missing') return missing(publisher, id.why)
  const secret = await deps.secrets(secretAccessKey)
  if (secret.kind === 'missing') return missing(publisher, secret.why)
  const token = sessionToken && (await deps.secrets(sessionToken))
  if (token?.kind === 'missing') return missing(publisher, token.why)
  return { accessKeyId: id.text, secretAccessKey: secret.text, sessionToken: token?.text }
}

const missing = (publisher: string, why: string): TargetFailure => ({
  kind: 'refused',
  why: `${publisher}: ${why}`,
  remedy: 'Set it for this command, too: it is read anew each time.',
})

async function readRoots(path: string | undefined): Promise<string | undefined | TargetFailure> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const why = whyRefused(error)
    if (why === undefined) throw error
    return { kind: 'refused', why: `${path} cannot be read: ${why}` }
  }
}
