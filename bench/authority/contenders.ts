/**
 * The servers that are measured, each with one thread for UDP, no limits on rates, no logs, and the same zones: ours and the yardstick in
 * Node, and Debian's NSD, Knot, BIND and PowerDNS.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../test/interop/harness/program.ts'
import { until } from '../../test/lab/until.ts'
import { zoneFile } from '../../test/lab/zone-lines.ts'
import { nsdSettings } from '../nsd-settings.ts'
import { type Daemon, startDaemon } from '../relay/daemon.ts'
import { zones } from './load.ts'

export const contenderNames = ['bare-map', 'waypost', 'nsd', 'knot', 'bind', 'powerdns'] as const
export type ContenderName = (typeof contenderNames)[number]

export interface Contender extends Daemon {
  readonly name: ContenderName
  readonly port: number
}

export interface Place {
  readonly folder: string
  readonly address: string
  readonly port: number
  readonly domains: number
}

/** All domains have the same text, so one file serves them all. */
const domainFile = 'domain.zone'
const exchangersFile = 'bench.zone'

export async function writeZones({ folder, domains }: Pick<Place, 'folder' | 'domains'>): Promise<string[]> {
  const origins: string[] = []
  for (const { origin, lines } of zones(domains)) {
    origins.push(origin)
    if (origins.length > 2) continue
    const text = zoneFile(origin, lines).replace(/^\$ORIGIN.*\n/, '')
    await writeFile(join(folder, origins.length === 1 ? exchangersFile : domainFile), text)
  }
  return origins
}

/** Resolves when it answers for the last of the domains. @param origins  with their final dots */
export async function startContender(
  name: ContenderName,
  place: Place,
  origins: readonly string[],
): Promise<Contender> {
  const own = { ...place, folder: join(place.folder, name) }
  await mkdir(own.folder)
  const [command = '', ...args] = await commands[name](own, place.folder, origins)
  const output = join(own.folder, 'output')
  const daemon = startDaemon(command, args, output)
  const last = origins.at(-1) ?? ''
  const query = [
    `@${place.address}`,
    '-p',
    String(place.port),
    '+norec',
    '+noedns',
    '+short',
    '+tries=1',
    '+time=1',
    last,
    'MX',
  ]
  const answers = async () => {
    if (daemon.hasEnded()) throw new Error(`${name} ended: ${await readFile(output, 'utf8')}`)
    return (await run('dig', query)).stdout.includes('mx1.bench.test')
  }
  try {
    await until(answers, 300_000, `${name} answering for ${last}`)
  } catch (error) {
    await daemon.stop()
    throw error
  }
  return { ...daemon, name, port: place.port }
}

const fileOf = (origin: string) => (origin === 'bench.test.' ? exchangersFile : domainFile)
const bare = (origin: string) => origin.replace(/\.$/, '')

type Command = (own: Place, zoneFolder: string, origins: readonly string[]) => Promise<string[]>

const script =
  (file: string): Command =>
  async ({ address, port, domains }) => [
    process.execPath,
    fileURLToPath(new URL(file, import.meta.url)),
    ...[address, String(port), String(domains)],
  ]

const commands: Readonly<Record<ContenderName, Command>> = {
  'bare-map': script('bare-map.ts'),
  waypost: script('waypost.ts'),

  async nsd({ folder, address, port }, zoneFolder, origins) {
    const zones = origins.map((origin) => [bare(origin), fileOf(origin)] as const)
    const config = nsdSettings(folder, [`${address}@${port}`], zoneFolder, zones)
    await writeFile(join(folder, 'nsd.conf'), config)
    return ['nsd', '-d', '-c', join(folder, 'nsd.conf')]
  },

  async knot({ folder, address, port }, zoneFolder, origins) {
    const config = `server:
    listen: ${address}@${port}
    rundir: "${folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "${folder}"
template:
  - id: default
    storage: "${zoneFolder}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
${origins.map((origin) => `  - domain: ${bare(origin)}\n    file: ${fileOf(origin)}`).join('\n')}
`
    await writeFile(join(folder, 'knot.conf'), config)
    return ['knotd', '-c', join(folder, 'knot.conf')]
  },

  async bind({ folder, address, port }, zoneFolder, origins) {
    const config = `options {
  directory "${folder}";
  listen-on port ${port} { ${address}; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
  querylog no;
  allow-transfer { none; };
  notify no;
};
controls {};
logging { channel none { null; }; category default { none; }; };
${zoneClauses(zoneFolder, origins)}
`
    await writeFile(join(folder, 'named.conf'), config)
    return ['named', '-f', '-n', '1', '-c', join(folder, 'named.conf')]
  },

  async powerdns({ folder, address, port }, zoneFolder, origins) {
    await writeFile(join(folder, 'named.conf'), `${zoneClauses(zoneFolder, origins)}\n`)
    const config = `local-address=${address}
local-port=${port}
launch=bind
bind-config=${folder}/named.conf
socket-dir=${folder}
receiver-threads=1
distributor-threads=1
loglevel=1
daemon=no
guardian=no
`
    await writeFile(join(folder, 'pdns.conf'), config)
    return ['pdns_server', `--config-dir=${folder}`]
  },
}

function zoneClauses(zoneFolder: string, origins: readonly string[]): string {
  return origins
    .map((origin) => `zone "${bare(origin)}" { type master; file "${join(zoneFolder, fileOf(origin))}"; };`)
    .join('\n')
}
