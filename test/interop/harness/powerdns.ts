/**
 * A PowerDNS of the test's own, its zones in SQLite, with dynamic update and its HTTP API. Needs Debian's pdns-server and
 * pdns-backend-sqlite3.
 */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '../../lab/loopback.ts'
import { type Home, makePlace, type NameServerWords, type Place, type RealNameServer, serve } from './name-server.ts'
import { runWell } from './program.ts'

export interface PowerDns extends RealNameServer {
  readonly api: { readonly address: string; readonly port: number; readonly url: string; readonly key: string }
}

const schema = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql'

export async function startPowerDns(home: Home, words: NameServerWords): Promise<PowerDns> {
  const place = await makePlace(home, 'powerdns', words)
  const apiPort = await freePort(place.address)
  const key = randomBytes(16).toString('hex')
  await writeFile(join(place.folder, 'pdns.conf'), configuration(place, apiPort, key))
  const database = new DatabaseSync(databaseOf(place))
  database.exec(await readFile(schema, 'utf8'))
  database.close()
  await fill(place, words)
  // The API and pdnsutil change its zones; no file is read again.
  const reload = () => ['/bin/true']
  const command = ['/usr/sbin/pdns_server', `--config-dir=${place.folder}`] as const
  const running = await serve(home, place, words, [...command], reload)
  const api = { address: place.address, port: apiPort, url: `http://${place.address}:${apiPort}`, key }
  return { ...running, api }
}

const databaseOf = (place: Place) => join(place.folder, 'pdns.sqlite3')

async function fill(place: Place, { zones, keys = [] }: NameServerWords): Promise<void> {
  const util = (...args: string[]) => runWell('/usr/bin/pdnsutil', [`--config-dir=${place.folder}`, ...args])
  for (const { name, algorithm, secret } of keys) await util('import-tsig-key', name, algorithm, secret)
  for (const { name, updateKeys = [], updateTypes, transfer = [], primary } of zones) {
    if (primary || updateTypes) throw new Error('not built for PowerDNS')
    await util('load-zone', name, place.zoneFile(name))
    for (const key of updateKeys) await util('add-meta', name, 'TSIG-ALLOW-DNSUPDATE', key)
    if (updateKeys.length > 0) await util('set-meta', name, 'ALLOW-DNSUPDATE-FROM', '127.0.0.0/8')
    if (transfer === 'anybody') await util('set-meta', name, 'ALLOW-AXFR-FROM', '127.0.0.0/8')
    else for (const key of transfer) await util('add-meta', name, 'TSIG-ALLOW-AXFR', key)
  }
}

/** Nobody may change or transfer a zone of which nothing is said. */
const configuration = (place: Place, apiPort: number, apiKey: string) => `
launch=gsqlite3
gsqlite3-database=${databaseOf(place)}
local-address=${place.address}
local-port=${place.port}
socket-dir=${place.folder}
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
version-string=anonymous
receiver-threads=1
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
dnsupdate=yes
allow-dnsupdate-from=
allow-axfr-ips=
api=yes
api-key=${apiKey}
webserver=yes
webserver-address=${place.address}
webserver-port=${apiPort}
webserver-allow-from=127.0.0.0/8
`
