/** The name servers that the interop tests use: each serves, reads a changed file when told, and lets nobody in who was not named. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { startBind } from './harness/bind.ts'
import { startKnot } from './harness/knot.ts'
import { newKey, type RealNameServer, smallZone } from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { startPowerDns } from './harness/powerdns.ts'
import { runWell } from './harness/program.ts'

async function dig(server: RealNameServer, ...question: string[]): Promise<string> {
  const place = [`@${server.address}`, '-p', String(server.port)]
  return (await runWell('dig', ['+short', '+time=30', '+tries=1', ...place, ...question])).stdout.trim()
}

for (const [name, start] of [
  ['BIND', startBind],
  ['Knot', startKnot],
  ['NSD', startNsd],
] as const) {
  test(`${name} serves two zones, and reads one again when its file has changed`, async (t) => {
    const lab = await startLab(t)
    const server = await start(lab, { keys: [newKey('waypost')], zones: [{ name: 'one.test' }, { name: 'two.test' }] })
    assert.equal(await dig(server, 'www.two.test', 'A'), '192.0.2.80')
    assert.equal(await dig(server, '+tcp', 'two.test', 'AXFR'), '; Transfer failed.')
    const changed = smallZone('one.test').replace('hostmaster 1 ', 'hostmaster 2 ').replace('192.0.2.80', '192.0.2.81')
    await writeFile(server.zoneFile('one.test'), changed)
    const [program = '', ...args] = server.reload('one.test')
    await runWell(program, args)
    await lab.until(async () => (await dig(server, 'www.one.test', 'A')) === '192.0.2.81')
    assert.equal(await dig(server, 'www.two.test', 'A'), '192.0.2.80')
    await server.stop()
  })
}

test('PowerDNS serves two zones, and shows and changes them by its API', async (t) => {
  const lab = await startLab(t)
  const server = await startPowerDns(lab, {
    keys: [newKey('waypost')],
    zones: [{ name: 'one.test' }, { name: 'two.test' }],
  })
  assert.equal(await dig(server, 'www.two.test', 'A'), '192.0.2.80')
  assert.equal(await dig(server, '+tcp', 'two.test', 'AXFR'), '; Transfer failed.')
  const zone = `${server.api.url}/api/v1/servers/localhost/zones/one.test.`
  const headers = { 'X-API-Key': server.api.key }
  assert.equal((await fetch(zone, { signal: AbortSignal.timeout(60_000) })).status, 401)
  const records = [{ content: '192.0.2.81', disabled: false }]
  const rrsets = [{ name: 'www.one.test.', type: 'A', ttl: 60, changetype: 'REPLACE', records }]
  const patch = { method: 'PATCH', headers, body: JSON.stringify({ rrsets }), signal: AbortSignal.timeout(60_000) }
  assert.equal((await fetch(zone, patch)).status, 204)
  assert.equal(await dig(server, 'www.one.test', 'A'), '192.0.2.81')
})
