/** `waypost apply` of two zone files whose server takes its time: the second is written while the first is still waited for. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { nameServerText } from '../../src/dns/servers.ts'
import { startAuthority } from '../lab/authority.ts'
import { commandFolder } from '../lab/command.ts'
import { startDns } from '../lab/dns.ts'
import { until } from '../lab/until.ts'
import { zoneOf } from '../lab/zone-lines.ts'

const zones = ['one.test', 'two.test'] as const
const linesWith = (preference: number, serial: number) =>
  `@ 60 SOA ns h ${serial} 60 60 600 60\n@ 60 NS ns\n@ 60 MX ${preference} mx.example.net.\nns 60 A 192.0.2.53\n`

test('the server answers with either only when both are written', async (t) => {
  const { server: resolver } = await startDns(t, { 'mx.example.net': { A: ['192.0.2.1'] } })
  const { folder, run } = await commandFolder(t)
  const served = (preference: number, serial: number) =>
    zones.map((zone) => zoneOf(`${zone}.`, linesWith(preference, serial)))
  const { authority, address, port } = await startAuthority(t, served(10, 1))
  const file = (zone: string) => join(folder, `${zone}.db`)
  for (const zone of zones) await writeFile(file(zone), linesWith(10, 1))
  const exchangers = [{ preference: '20', host: 'mx.example.net' }]
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'mx.waypost.test', state: join(folder, 'state') },
      resolver: { servers: [nameServerText(resolver)] },
      publishers: {
        files: {
          ...{ type: 'zonefile', path: join(folder, '{zone}.db'), reload: ['true'] },
          servers: [`${address}:${port}`],
        },
      },
      domains: Object.fromEntries(zones.map((zone) => [zone, { exchangers, publish: 'files', ttl: '1m' }])),
    }),
  )

  const applying = run('apply', '--yes', '--no-smtp', '--wait', '60s')
  await until(async () => /MX\s+20 /.test(await readFile(file('two.test'), 'utf8')))
  await authority.replaceZones(served(20, 2))
  const { code, out, err } = await applying
  assert.equal(code, 0, out + err)
  for (const zone of zones)
    assert.match(out, new RegExp(`^${zone}: 1 set of records changed\\.\\n {2}The server answers with it\\.$`, 'm'))
})
