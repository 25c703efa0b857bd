/**
 * A BIND 9 of the test's own. Needs Debian's bind9 and bind9-utils. It listens only on addresses that an interface really has, so it is always
 * at 127.0.0.1, on a port of its own.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../lab/loopback.ts'
import {
  type Home,
  type KeyWords,
  makePlace,
  type NameServerWords,
  newKey,
  type Place,
  type RealNameServer,
  serve,
  type ZoneWords,
} from './name-server.ts'

export async function startBind(
  home: Home,
  words: NameServerWords,
  at: { readonly address?: string; readonly port?: number } = {},
): Promise<RealNameServer> {
  const place = await makePlace(home, 'bind', words, at.address ?? '127.0.0.1', at.port)
  const control = newKey('control')
  const controlPort = await freePort(place.address)
  const file = join(place.folder, 'named.conf')
  const controlFile = join(place.folder, 'rndc.conf')
  await writeFile(file, configuration(place, words, control, controlPort))
  await writeFile(
    controlFile,
    `${keyStatement(control)}
options { default-server ${place.address}; default-port ${controlPort}; default-key "control"; };
`,
  )
  const reload = (zone: string) => ['/usr/sbin/rndc', '-c', controlFile, 'reload', zone]
  return serve(home, place, words, ['/usr/sbin/named', '-g', '-n', '1', '-c', file], reload)
}

const configuration = (place: Place, { zones, keys = [] }: NameServerWords, control: KeyWords, port: number) => `
options {
  directory "${place.folder}";
  pid-file "${place.folder}/named.pid";
  session-keyfile "${place.folder}/session.key";
  listen-on port ${place.port} { ${place.address}; };
  listen-on-v6 { none; };
  automatic-interface-scan no;
  recursion no;
  dnssec-validation no;
  notify no;
};
controls { inet ${place.address} port ${port} allow { any; } keys { "control"; }; };
${[control, ...keys].map(keyStatement).join('\n')}
${zones.map((zone) => zoneStatement(place, zone)).join('\n')}
`

const keyStatement = ({ name, algorithm, secret }: KeyWords) =>
  `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };`

function zoneStatement(place: Place, { name, updateKeys, updateTypes, transfer = [], primary }: ZoneWords): string {
  const file = `file "${place.zoneFile(name)}";`
  const transfers = transfer === 'anybody' ? 'any;' : transfer.map((key) => `key "${key}";`).join(' ') || 'none;'
  if (primary) {
    const from = `${primary.address} port ${primary.port}${primary.key ? ` key "${primary.key}"` : ''};`
    return `zone "${name}" { type secondary; ${file} primaries { ${from} }; allow-transfer { ${transfers} }; };`
  }
  return `zone "${name}" { type primary; ${file} ${updateStatement(updateKeys, updateTypes)} allow-transfer { ${transfers} }; };`
}

function updateStatement(keys: readonly string[] = [], types: readonly string[] | undefined): string {
  if (!types) return `allow-update { ${keys.map((key) => `key "${key}";`).join(' ') || 'none;'} };`
  return `update-policy { ${keys.map((key) => `grant "${key}" zonesub ${types.join(' ')};`).join(' ')} };`
}
