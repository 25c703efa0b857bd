import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolverOptions } from './options.ts'
import { defaultResolverOptions } from './resolver-options.ts'
import { nameServerText, parseNameServer, systemServers } from './servers.ts'

test('name servers as people write them', () => {
  const text = (written: string) => {
    const server = parseNameServer(written)
    return server && nameServerText(server)
  }
  assert.equal(text('192.0.2.1'), '192.0.2.1:53')
  assert.equal(text('192.0.2.1:5353'), '192.0.2.1:5353')
  assert.equal(text('2001:DB8::1'), '[2001:db8::1]:53')
  assert.equal(text('[2001:db8::1]:5353'), '[2001:db8::1]:5353')
  for (const wrong of [
    '',
    'localhost',
    '192.0.2.1:0',
    '192.0.2.1:65536',
    '192.0.2.1:',
    '[::1]:',
    '127.1',
    '192.0.2.1:53:53',
  ])
    assert.equal(text(wrong), undefined, wrong)
})

test('resolv.conf: its name servers, in order, and this machine where there is none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'resolv.conf')
  await writeFile(
    path,
    '# nameserver 192.0.2.9\nsearch example.test\n nameserver 192.0.2.1 # ours\nnameserver\t2001:db8::1\nnameserver fe80::1%eth0\noptions rotate\n',
  )
  assert.deepEqual((await systemServers(path)).map(nameServerText), ['192.0.2.1:53', '[2001:db8::1]:53'])
  await writeFile(path, '')
  assert.deepEqual((await systemServers(path)).map(nameServerText), ['127.0.0.1:53'])
  assert.deepEqual((await systemServers(join(folder, 'gone'))).map(nameServerText), ['127.0.0.1:53'])
})

test('options: text with units to values, each with its range', () => {
  assert.deepEqual(resolverOptions.parse({}), defaultResolverOptions)
  const options = resolverOptions.parse({ servers: ['127.0.0.1:5353'], timeout: '500ms', attempts: '3', maxTtl: '2h' })
  assert.deepEqual([options.timeoutMs, options.attempts, options.maxTtlSeconds], [500, 3, 7_200])
  assert.deepEqual(options.servers.map(nameServerText), ['127.0.0.1:5353'])
  for (const wrong of [
    { timeout: '1' },
    { timeout: '1ms' },
    { timeout: '1h' },
    { attempts: 0 },
    { servers: ['ns.example'] },
    { nameservers: [] },
  ])
    assert.equal(resolverOptions.safeParse(wrong).success, false, JSON.stringify(wrong))
})
