/** `waypost apply` of more zones than a person reads one by one: told together, and only what has to be looked at by itself. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { nameServerText } from '../../src/dns/servers.ts'
import { commandFolder } from '../lab/command.ts'
import { startDns } from '../lab/dns.ts'

test('fifteen zone files in three lines, and the one whose reload fails in words of its own', async (t) => {
  const { server } = await startDns(t, { 'mx.example.net': { A: ['192.0.2.1'] } })
  const { folder, run } = await commandFolder(t)
  const zones = Array.from({ length: 15 }, (_, index) => `zone${index}.test`)
  const file = (zone: string) => join(folder, `${zone}.db`)
  for (const zone of zones)
    await writeFile(
      file(zone),
      `$TTL 60\n@ SOA ns h 1 60 60 600 60\n@ NS ns\n@ MX 10 old.example.net.\nns A 192.0.2.53\n`,
    )
  const configure = (preference: number, reload: readonly string[]) =>
    writeFile(
      join(folder, 'waypost.yaml'),
      JSON.stringify({
        ...{
          hostname: 'mx.waypost.test',
          state: join(folder, 'state'),
          resolver: { servers: [nameServerText(server)] },
        },
        publishers: { files: { type: 'zonefile', path: join(folder, '{zone}.db'), reload } },
        domains: Object.fromEntries(
          zones.map((zone) => [
            zone,
            { exchangers: [{ preference: String(preference), host: 'mx.example.net' }], publish: 'files', ttl: '1m' },
          ]),
        ),
      }),
    )
  await configure(10, ['true'])
  const words = ['apply', '--yes', '--no-smtp', '--wait', '0s', '--allow', 'all']
  const applied = await run(...words, '--concurrency', '3')
  assert.equal(applied.code, 0, applied.out + applied.err)
  const [, told = ''] = applied.out.split(/\d+ to add, .*\n/)
  assert.match(
    told,
    /^15 zones: 15 sets of records changed; whether they arrived was not looked at\.\n {2}Caches may hold/,
  )
  assert.doesNotMatch(told + applied.err, /zone7/)
  for (const zone of zones) assert.match(await readFile(file(zone), 'utf8'), /MX\t?\s*10 mx\.example\.net\./)

  // The last of them, so that the others are done: what follows one that failed is not touched.
  await configure(20, ['test', '{zone}', '!=', 'zone14.test'])
  const failed = await run(...words)
  assert.equal(failed.code, 2, failed.out + failed.err)
  assert.match(failed.err, /zone14\.test: /)
  assert.match(failed.out, /^14 zones: 14 sets of records changed/m)
  const wrong = await run('plan', '--concurrency', '0')
  assert.equal(wrong.code, 2)
})
