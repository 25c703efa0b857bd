/** An NSD of the test's own: zone files and zone transfers, no dynamic update. Needs Debian's nsd. */
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

/** @param at  where it listens; default: an address and a port of its own */
export async function startNsd(
  home: Home,
  words: NameServerWords,
  at: { readonly address?: string; readonly port?: number } = {},
): Promise<RealNameServer> {
  const place = await makePlace(home, 'nsd', words, at.address, at.port)
  const file = join(place.folder, 'nsd.conf')
  await writeFile(file, configuration(place, words))
  const reload = (zone: string) => ['/usr/sbin/nsd-control', '-c', file, 'reload', zone]
  return serve(home, place, words, ['/usr/sbin/nsd', '-d', '-c', file], reload)
}

const configuration = (place: Place, { zones, keys = [] }: NameServerWords) => `
server:
  ip-address: ${place.address}@${place.port}
  username: ""
  zonesdir: "${place.folder}"
  database: ""
  pidfile: "${place.folder}/nsd.pid"
  zonelistfile: "${place.folder}/zone.list"
  xfrdfile: "${place.folder}/xfrd.state"
  xfrdir: "${place.folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: yes
  control-interface: "${place.folder}/control.sock"
${keys.map(({ name, algorithm, secret }) => `key:\n  name: "${name}"\n  algorithm: ${algorithm}\n  secret: "${secret}"\n`).join('')}
${zones.map((zone) => zoneClause(place, zone)).join('\n')}
`

function zoneClause(place: Place, { name, transfer = [], primary }: ZoneWords): string {
  const lines = ['zone:', `  name: "${name}"`, `  zonefile: "${place.zoneFile(name)}"`]
  for (const key of transfer === 'anybody' ? ['NOKEY'] : transfer) lines.push(`  provide-xfr: 127.0.0.0/8 ${key}`)
  if (primary) {
    const key = primary.key ?? 'NOKEY'
    lines.push(`  request-xfr: AXFR ${primary.address}@${primary.port} ${key}`)
    lines.push(`  allow-notify: ${primary.address} NOKEY`)
    if (primary.key) lines.push(`  allow-notify: ${primary.address} ${primary.key}`)
    lines.push(`  outgoing-interface: ${place.address}`)
  }
  return `${lines.join('\n')}\n`
}
