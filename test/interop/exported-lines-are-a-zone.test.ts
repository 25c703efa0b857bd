/** `waypost plan --export zone` prints lines that BIND's own checker takes behind an SOA and an NS. Needs Debian's bind9-utils. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { IpAddress } from '../../src/base/ip.ts'
import type { HostName } from '../../src/dns/name.ts'
import { wantedIn } from '../../src/publish/declare/wanted.ts'
import { exportZones } from '../../src/publish/plan/export.ts'
import { planZone } from '../../src/publish/plan/plan.ts'
import { noLimits } from '../../src/publish/targets/target.ts'
import { labName } from '../lab/names.ts'
import { run } from './harness/program.ts'

test('named-checkzone takes the exported lines', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-export-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const zone = labName('example.com')
  const addresses = ['192.0.2.1', '2001:db8::1'] as IpAddress[]
  const { sets } = wantedIn(zone, [
    {
      domain: 'example.com' as HostName,
      exchangers: [
        { preference: 10, host: 'mx1.example.com' as HostName, addresses },
        { preference: 20, host: 'mx.example.net' as HostName, addresses: undefined },
      ],
      ...{ ttlSeconds: 3_600, publisher: undefined, absent: [] },
      texts: [
        { kind: 'spf', text: `v=spf1 ${'ip4:192.0.2.0/24 '.repeat(30)}-all` },
        { kind: 'dmarc', text: 'v=DMARC1; p=none; rua=mailto:d@example.com' },
      ],
    },
  ])
  const lines = exportZones('zone', [planZone(zone, sets, [], noLimits)])
  const file = join(folder, 'example.com.zone')
  const check = async (text: string) => {
    await writeFile(file, `$TTL 60\n@ SOA ns.example.net. h.example.net. 7 60 60 600 60\n@ NS ns.example.net.\n${text}`)
    return run('named-checkzone', ['example.com', file])
  }
  const taken = await check(lines)
  assert.equal(taken.code, 0, taken.stdout)
  assert.match(taken.stdout, /loaded serial 7\nOK/)
  assert.notEqual((await check(lines.replaceAll(' MX 10 ', ' MX ten '))).code, 0)
})
