/** An unbound of the test's own: a resolver that remembers for as long as each TTL says, and asks these servers for these zones. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NameServer } from '../../../src/dns/servers.ts'
import { freeAddress } from '../../lab/loopback.ts'
import { labAddress } from '../../lab/names.ts'
import { until } from '../../lab/until.ts'
import { answersFrom, type Home, type RealNameServer } from './name-server.ts'
import { start } from './program.ts'

export interface Unbound extends NameServer {
  /** What it has said so far. */
  log(): string
}

/**
 * At port 53, where programs look that know no other.
 * @param zones  names without a final dot
 * @param options  lines of its `server:` clause
 */
export async function startUnbound(
  home: Home,
  zones: readonly string[],
  { address: authority, port }: Pick<RealNameServer, 'address' | 'port'>,
  options: readonly string[] = [],
): Promise<Unbound> {
  const server: NameServer = { address: labAddress(freeAddress()), port: 53 }
  const folder = join(home.folder, 'unbound')
  await mkdir(folder)
  const stubs = zones.map((zone) => `stub-zone:\n  name: "${zone}."\n  stub-addr: ${authority}@${port}`)
  const file = join(folder, 'unbound.conf')
  await writeFile(
    file,
    `server:
  interface: ${server.address}@53
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  module-config: "iterator"
  num-threads: 1
  # A server that has stood still for a moment is not down.
  unknown-server-time-limit: 2000
  infra-keep-probing: yes
  local-zone: "test." nodefault
${options.map((line) => `  ${line}\n`).join('')}${stubs.join('\n')}
remote-control:
  control-enable: no
`,
  )
  const daemon = await start('/usr/sbin/unbound', ['-d', '-c', file])
  home.atEnd(() => daemon.stop())
  await until(
    async () => {
      if (daemon.hasEnded) throw new Error(`unbound ended at once: ${daemon.output}`)
      return zones[0] !== undefined && (await answersFrom(server, zones[0]))
    },
    90_000,
    'unbound answers',
  )
  return { ...server, log: () => daemon.output }
}
