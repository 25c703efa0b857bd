/** What is kept of one migration is damaged: its domain is left alone and the file is named; plan and apply go on with the others. */
import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { nameServerText } from '../../src/dns/servers.ts'
import { commandFolder } from '../lab/command.ts'
import { startDns } from '../lab/dns.ts'

test('of two domains the one whose file is damaged stays as it is, and the other is published', async (t) => {
  const { server } = await startDns(t, { 'mx.example.net': { A: ['192.0.2.1'] } })
  const { folder, run } = await commandFolder(t)
  const text = '$TTL 60\n@ SOA ns h 1 60 60 600 60\n@ NS ns\n@ MX 10 old.example.net.\nns A 192.0.2.53\n'
  const zoneFile = (zone: string) => join(folder, `${zone}.db`)
  for (const zone of ['moving.test', 'other.test']) await writeFile(zoneFile(zone), text)
  const state = join(folder, 'state')
  const kept = join(state, 'migrations', 'moving.test.json')
  await mkdir(join(state, 'migrations'), { recursive: true, mode: 0o700 })
  await writeFile(kept, '{"format":1,"domain":"mov')
  const domain = { exchangers: [{ preference: '10', host: 'mx.example.net' }], publish: 'files', ttl: '1m' }
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'mx.waypost.test', state, resolver: { servers: [nameServerText(server)] } },
      publishers: { files: { type: 'zonefile', path: join(folder, '{zone}.db'), reload: ['true'] } },
      domains: { 'moving.test': domain, 'other.test': domain },
    }),
  )
  const named = new RegExp(`^waypost: ${kept} is damaged, and says where the migration of moving\\.test stands: `, 'm')

  const planned = await run('plan', '--no-smtp')
  assert.equal(planned.code, 2, planned.out + planned.err)
  assert.match(planned.err, named)
  assert.match(planned.out, /\+ other\.test\. +MX +10 mx\.example\.net\./)
  assert.doesNotMatch(planned.out, /moving\.test/)
  assert.equal((await run('plan', 'other.test', '--no-smtp')).err, '')

  const applied = await run('apply', '--yes', '--no-smtp', '--wait', '0s', '--allow', 'all')
  assert.equal(applied.code, 2, applied.out + applied.err)
  assert.match(applied.err, named)
  assert.match(await readFile(zoneFile('other.test'), 'utf8'), /MX\s+10 mx\.example\.net\./)
  assert.equal(await readFile(zoneFile('moving.test'), 'utf8'), text)

  const asked = await run('migrate', 'moving.test')
  assert.equal(asked.code, 2)
  assert.match(asked.err, named)
})
