/**
 * Debian's NSD, Knot and BIND on loopback, as secondaries or with zones from files. Each stops with the test, and is ready when it answers
 * as `isReady` wants. All are on 127.0.0.1, because BIND listens on addresses of interfaces alone.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { until } from '../../lab/until.ts'
import { start } from './program.ts'

export const nameServerNames = ['nsd', 'knot', 'bind'] as const
export type NameServerName = (typeof nameServerNames)[number]

export const theirAddress = '127.0.0.1'

export interface SecondaryOf {
  readonly zone: string
  readonly primary: { readonly address: string; readonly port: number }
  readonly key: { readonly name: string; readonly secret: string }
}

type Config = (
  folder: string,
  port: number,
  of: SecondaryOf,
) => { readonly file: string; readonly text: string; readonly command: string[] }

const secondaryConfigs: Readonly<Record<NameServerName, Config>> = {
  nsd: (folder, port, { zone, primary, key }) => ({
    file: 'nsd.conf',
    text: `${nsdHead(folder, port)}
key:
  name: ${key.name}
  algorithm: hmac-sha256
  secret: "${key.secret}"
zone:
  name: ${zone}
  zonefile: "${folder}/${zone}.zone"
  request-xfr: ${primary.address}@${primary.port} ${key.name}
  allow-notify: ${primary.address} ${key.name}
`,
    command: ['nsd', '-d', '-c', join(folder, 'nsd.conf')],
  }),

  knot: (folder, port, { zone, primary, key }) => ({
    file: 'knot.conf',
    text: `server:
    listen: ${theirAddress}@${port}
    rundir: "${folder}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "${folder}"
key:
  - id: ${key.name}
    algorithm: hmac-sha256
    secret: ${key.secret}
remote:
  - id: waypost
    address: ${primary.address}@${primary.port}
    key: ${key.name}
acl:
  - id: waypost-notify
    address: ${primary.address}
    key: ${key.name}
    action: notify
zone:
  - domain: ${zone}
    storage: "${folder}"
    master: waypost
    acl: waypost-notify
`,
    command: ['knotd', '-c', join(folder, 'knot.conf')],
  }),

  bind: (folder, port, { zone, primary, key }) => ({
    file: 'named.conf',
    text: `options {
  directory "${folder}";
  listen-on port ${port} { ${theirAddress}; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  recursion no;
  dnssec-validation no;
};
controls {};
key "${key.name}" { algorithm hmac-sha256; secret "${key.secret}"; };
zone "${zone}" {
  type secondary;
  file "${zone}.zone";
  primaries { ${primary.address} port ${primary.port} key "${key.name}"; };
  allow-notify { key "${key.name}"; };
};
`,
    command: ['named', '-g', '-n', '1', '-c', join(folder, 'named.conf')],
  }),
}

/** @param isReady  asked again and again */
export async function startSecondary(
  t: Pick<TestContext, 'after'>,
  name: NameServerName,
  port: number,
  of: SecondaryOf,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `waypost-${name}-`))
  const { file, text, command } = secondaryConfigs[name](folder, port, of)
  await writeFile(join(folder, file), text)
  await run(t, folder, command, isReady)
}

/** An NSD that serves these zones. @param zones  text by name */
export async function startNsd(
  t: Pick<TestContext, 'after'>,
  port: number,
  zones: ReadonlyMap<string, string>,
  isReady: () => Promise<boolean>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-nsd-'))
  await mkdir(join(folder, 'zones'))
  for (const [name, text] of zones) await writeFile(join(folder, 'zones', name), text)
  const clauses = Array.from(zones.keys(), (name) => `zone:\n  name: ${name}\n  zonefile: "${folder}/zones/${name}"`)
  await writeFile(join(folder, 'nsd.conf'), `${nsdHead(folder, port)}\n${clauses.join('\n')}\n`)
  await run(t, folder, ['nsd', '-d', '-c', join(folder, 'nsd.conf')], isReady)
}

const nsdHead = (folder: string, port: number) => `server:
  ip-address: ${theirAddress}@${port}
  username: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  zonelistfile: "${folder}/zone.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no`

async function run(
  t: Pick<TestContext, 'after'>,
  folder: string,
  [command = '', ...args]: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<void> {
  const running = await start(command, args)
  t.after(async () => {
    await running.stop()
    await rm(folder, { recursive: true })
  })
  const ready = async () => {
    if (running.hasEnded) throw new Error(`${command} has ended: ${running.output}`)
    return isReady()
  }
  try {
    await until(ready, 90_000, `${command} ready`)
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : ''}\n${running.output.slice(-3_000)}`)
  }
}
