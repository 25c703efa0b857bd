/** A zone file that was written while `reload:` was broken: nothing is left to change in it, and still it is not what the server answers with. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAuthority } from '../lab/authority.ts'
import { commandFolder } from '../lab/command.ts'
import { startDns } from '../lab/dns.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { until } from '../lab/until.ts'
import { zoneFile, zoneOf } from '../lab/zone-lines.ts'

const records = (preference: number) =>
  `@ SOA ns h 5 14400 3600 604800 300\n@ NS ns.example.net.\n@ 60 MX ${preference} mx.example.net.`

test('plan tells of it, and apply has it read and says what it saw', async (t) => {
  const { server } = await startDns(t, { 'mx.example.net': { A: ['127.0.0.1'] } })
  const served = await startAuthority(t, [zoneOf('example.test.', records(10))])
  const place = `${served.address}:${served.port}`
  const { folder, run } = await commandFolder(t)
  await writeFile(join(folder, 'db'), zoneFile('example.test.', records(10)))
  const configure = (reload: readonly string[], servers = [place]) =>
    writeFile(
      join(folder, 'waypost.yaml'),
      JSON.stringify({
        ...{ hostname: 'mx.waypost.test', state: join(folder, 'state') },
        resolver: { servers: [`${server.address}:${server.port}`] },
        publishers: { files: { type: 'zonefile', path: join(folder, 'db'), servers, reload } },
        domains: {
          'example.test': {
            exchangers: [{ preference: '20', host: 'mx.example.net' }],
            ...{ publish: 'files', ttl: '1m' },
          },
        },
      }),
    )
  const command = async (code: number, ...words: readonly string[]) => {
    const ran = await run(...words, '--no-smtp')
    assert.equal(ran.code, code, ran.out + ran.err)
    return ran.out + ran.err
  }

  await configure(['false'])
  assert.match(await command(2, 'apply', '--yes', '--wait', '5s'), /was written, and its server has not read it/)
  const again = await command(2, 'apply', '--yes', '--wait', '5s')
  assert.ok(again.includes(`not what is served: ${place} still has another example.test. MX`), again)
  assert.match(again, /is as declared, and its server has not read it: /)

  const mark = join(folder, 'reloaded')
  await configure(['touch', mark])
  assert.ok((await command(0, 'plan')).includes(`not what is served: ${place} still has another`))
  assert.match(await command(2, 'apply', '--wait', '1m'), /not read again: there is nobody to ask, so say --yes/)
  assert.equal(existsSync(mark), false)
  const applying = command(0, 'apply', '--yes', '--wait', '2m')
  await until(() => existsSync(mark), 120_000)
  await served.authority.replaceZones([zoneOf('example.test.', records(20))])
  assert.match(await applying, /it was read again\.\n {2}The server answers with it\./)

  assert.match(await command(0, 'apply', '--yes'), /No changes\.\nIts servers answer with it\./)
  assert.doesNotMatch(await command(0, 'plan'), /not what is served/)

  // One that is away is told, and neither waited for nor given a command.
  const address = freeAddress()
  const dead = `${address}:${await freePort(address)}`
  const unused = join(folder, 'unused')
  await configure(['touch', unused], [place, dead])
  const away = await command(2, 'apply', '--yes', '--wait', '1h')
  assert.ok(away.includes(`not what is served: ${dead} gives no answer of its own`), away)
  assert.equal(existsSync(unused), false)
})

test('where none are named the name servers of the zone are asked, and where nobody can be, that is told', async (t) => {
  const served = await startAuthority(t, [])
  const zone = (name: string, preference: number) =>
    [
      name,
      `@ SOA ns h 5 14400 3600 604800 300\n@ NS ns\nns A ${served.address}\n@ 60 MX ${preference} mx.example.net.`,
    ] as const
  const serve = (preference: number) =>
    served.authority.replaceZones([zoneOf(...zone('example.test.', preference)), zoneOf(...zone('other.test.', 20))])
  // It is the resolver, too; and there is a third zone, which nobody serves.
  await serve(10)
  const { folder, run } = await commandFolder(t)
  const mark = join(folder, 'reloaded')
  const names = ['example.test', 'other.test', 'nobody.test']
  for (const name of names) await writeFile(join(folder, name), zoneFile(...zone(`${name}.`, 10)))
  const configure = (reload: readonly string[]) =>
    writeFile(
      join(folder, 'waypost.yaml'),
      JSON.stringify({
        ...{ hostname: 'mx.waypost.test', state: join(folder, 'state') },
        resolver: { servers: [`${served.address}:${served.port}`] },
        publishers: { files: { type: 'zonefile', path: join(folder, '{zone}'), reload } },
        domains: Object.fromEntries(
          names.map((name) => [
            name,
            { exchangers: [{ preference: '20', host: 'mx.example.net' }], publish: 'files', ttl: '1m' },
          ]),
        ),
      }),
    )
  const command = async (code: number, ...words: readonly string[]) => {
    const ran = await run(...words, '--no-smtp', '--private', '--dns-port', String(served.port))
    assert.equal(ran.code, code, ran.out + ran.err)
    return ran.out + ran.err
  }
  await configure(['true'])
  await command(0, 'apply', 'other.test', 'nobody.test', '--yes', '--wait', '0s')
  await configure(['false'])
  assert.match(await command(2, 'apply', 'example.test', '--yes'), /was written, and its server has not read it/)
  await configure(['touch', mark])

  assert.match(await command(0, 'plan'), /No changes\./)
  const applying = command(0, 'apply', 'example.test', 'other.test', '--yes', '--wait', '2m')
  await until(() => existsSync(mark), 120_000)
  await serve(20)
  const applied = await applying
  assert.match(applied, /example\.test: this is kept, and not what is served: \S+ still has another example\.test\. MX/)
  assert.match(applied, /example\.test: it was read again\.\n {2}The server answers with it\./)
  assert.doesNotMatch(applied, /other\.test: /)
  assert.match(await command(0, 'apply', 'example.test', 'other.test'), /\nTheir servers answer with all of it\./)

  const unasked = await command(2, 'apply')
  assert.match(unasked, /^waypost: nobody\.test: this is kept, and nobody could be asked whether it is served: /m)
  await command(0, 'apply', '--wait', '0s')
})
