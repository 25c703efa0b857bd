/** `--smtp-port` and `--dns-port` of `waypost plan` and `apply`: exchangers and a zone's own name servers where nobody may listen at 25 and 53. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAuthority } from '../lab/authority.ts'
import { commandFolder } from '../lab/command.ts'
import { startLab } from '../lab/lab.ts'
import { freePort } from '../lab/loopback.ts'
import { zoneFile, zoneOf } from '../lab/zone-lines.ts'

test('exchangers are asked at one port, and the name servers of the zone at the other', async (t) => {
  const lab = await startLab(t, 300_000)
  const backend = await lab.backend()
  const { authority, address, port } = await startAuthority(t, [])
  const records = (preference: number) =>
    `@ SOA ns h 5 14400 3600 604800 300\n@ NS ns\nns A ${address}\nmx A ${backend.address}\n@ 60 MX ${preference} mx`
  // It answers with what is to be applied, and is the resolver, too.
  await authority.replaceZones([zoneOf('example.test.', records(20))])
  const { folder, run } = await commandFolder(t)
  await writeFile(join(folder, 'db'), zoneFile('example.test.', records(10)))
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'gw.waypost.test', state: join(folder, 'state') },
      resolver: { servers: [`${address}:${port}`] },
      publishers: { files: { type: 'zonefile', path: join(folder, 'db'), reload: ['true'] } },
      domains: {
        'example.test': {
          exchangers: [{ preference: '20', host: 'mx.example.test' }],
          ...{ publish: 'files', ttl: '1m' },
        },
      },
    }),
  )
  const closed = await run('plan', '--private', '--smtp-port', String(await freePort(backend.address)))
  assert.match(closed.out, /mx\.example\.test answers no SMTP: .*ECONNREFUSED/, closed.err)
  const ports = ['--private', '--smtp-port', String(backend.port), '--dns-port', String(port)]
  const planned = await run('plan', ...ports)
  assert.equal(planned.code, 3, planned.out + planned.err)
  assert.doesNotMatch(planned.out, /no-working-exchanger|not-checked/)
  const applied = await run('apply', '--yes', '--wait', '1m', ...ports)
  assert.equal(applied.code, 0, applied.out + applied.err)
  assert.match(applied.out, /The server answers with it\./)
  assert.ok(backend.commands.some((command) => /^RCPT TO:<postmaster@example\.test>/i.test(command)))
})
