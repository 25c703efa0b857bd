/** A Knot DNS of the test's own. Needs Debian's knot. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Home,
  makePlace,
  type NameServerWords,
  type Place,
  type RealNameServer,
  serve,
  type ZoneWords,
} from './name-server.ts'

export async function startKnot(
  home: Home,
  words: NameServerWords,
  at: { readonly address?: string; readonly port?: number } = {},
): Promise<RealNameServer> {
  const place = await makePlace(home, 'knot', words, at.address, at.port)
  const file = join(place.folder, 'knot.conf')
  await writeFile(file, configuration(place, words))
  const reload = (zone: string) => ['/usr/sbin/knotc', '-b', '-c', file, 'zone-reload', zone]
  return serve(home, place, words, ['/usr/sbin/knotd', '-c', file], reload)
}

/** Lists may not be empty in it, so that what has nothing to say is left out. */
function configuration(place: Place, { zones, keys = [] }: NameServerWords): string {
  const lines = [
    'server:',
    `    rundir: "${place.folder}"`,
    `    listen: ${place.address}@${place.port}`,
    '    udp-workers: 1',
    '    tcp-workers: 1',
    '    background-workers: 1',
    'control:',
    `    listen: "${place.folder}/knot.sock"`,
    'database:',
    `    storage: "${place.folder}"`,
    'log:',
    '  - target: stderr',
    '    any: info',
  ]
  if (keys.length > 0) lines.push('key:')
  for (const { name, algorithm, secret } of keys)
    lines.push(`  - id: ${name}`, `    algorithm: ${algorithm}`, `    secret: ${secret}`)
  const rules = zones.flatMap(aclOf)
  if (rules.length > 0) lines.push('acl:', ...rules.flatMap(({ lines }) => lines))
  const remotes = zones.flatMap((zone) => (zone.primary ? [remoteOf(zone.name, zone.primary)] : []))
  if (remotes.length > 0) lines.push('remote:', ...remotes.flat())
  lines.push('zone:')
  for (const zone of zones) {
    const ids = rules.filter((rule) => rule.zone === zone.name).map(({ id }) => id)
    lines.push(`  - domain: ${zone.name}`, `    file: "${place.zoneFile(zone.name)}"`)
    if (ids.length > 0) lines.push(`    acl: [${ids.join(', ')}]`)
    if (zone.primary) lines.push(`    master: primary-${zone.name}`)
  }
  return `${lines.join('\n')}\n`
}

interface Rule {
  readonly zone: string
  readonly id: string
  readonly lines: readonly string[]
}

function aclOf({ name, updateKeys = [], updateTypes, transfer = [], primary }: ZoneWords): Rule[] {
  const rule = (action: string, more: readonly string[]): Rule => {
    const id = `${action}-${name}`
    return { zone: name, id, lines: [`  - id: ${id}`, `    action: ${action}`, ...more] }
  }
  const keyed = (keys: readonly string[]) => `    key: [${keys.join(', ')}]`
  const rules: Rule[] = []
  if (updateKeys.length > 0) {
    const types = updateTypes ? [`    update-type: [${updateTypes.join(', ')}]`] : []
    rules.push(rule('update', [keyed(updateKeys), ...types]))
  }
  if (transfer === 'anybody') rules.push(rule('transfer', ['    address: 127.0.0.0/8']))
  else if (transfer.length > 0) rules.push(rule('transfer', [keyed(transfer)]))
  if (primary) rules.push(rule('notify', [`    address: ${primary.address}`]))
  return rules
}

const remoteOf = (zone: string, { address, port, key }: NonNullable<ZoneWords['primary']>) => [
  `  - id: primary-${zone}`,
  `    address: ${address}@${port}`,
  ...(key === undefined ? [] : [`    key: ${key}`]),
]
