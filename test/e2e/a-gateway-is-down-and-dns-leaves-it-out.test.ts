/**
 * Two gateways take mail for a domain and stand behind one name. One of them answers DNS too, with `healthy: true`: when the other is killed, its
 * address is left out at a short TTL, and back when it is. The last address is never left out; plan and apply are not misled by it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createTransport } from '../../src/dns/transport.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { askServer } from '../../src/publish/sets/ask-server.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'
import { labAddress, labName } from '../lab/names.ts'
import { callWaypost } from '../lab/process.ts'

test('a gateway that is killed is left out of DNS, and comes back with itself', async (t) => {
  const lab = await startLab(t, 300_000)
  const backend = await lab.backend()
  const domain = { deliver: backend, recipients: 'any' }
  const second = await lab.process({ config: { domains: { 'example.test': domain } } })

  const dnsAddress = labAddress(freeAddress())
  const dns = { address: dnsAddress, port: await freePort(dnsAddress) }
  const own = freeAddress()
  const exchangers = {
    exchangers: [{ preference: '10', host: 'mx.example.test', addresses: [own, second.address] }],
    ...{ healthy: 'true', publish: 'builtin', ttl: '1h' },
  }
  const [ownPort, pagePort] = [await freePort(own), await freePort(own)]
  // LISTEN is where the lab waits for a greeting.
  const config = {
    hostname: 'node1.example.test',
    listen: {
      smtp: [`${own}:${ownPort}`, 'LISTEN'],
      dns: [`${dns.address}:${dns.port}`],
      http: [`${own}:${pagePort}`],
    },
    dns: { health: { interval: '1s', timeout: '5s', port: String(second.port) }, healthyTtl: '7s' },
    domains: { 'example.test': { ...domain, ...exchangers } },
  }
  const text = JSON.stringify({ state: 'STATE', ...config }, (_key, value) => (value === backend ? backend.url : value))
  const gateway = await lab.process({ config: text })
  await lab.until(() => gateway.stdout.includes('DNS for its zones'))

  const transport = createTransport({ clock: systemClock, random: systemRandom, door: systemDoor })
  lab.atEnd(() => transport.close())
  const answered = async () => {
    const said = await askServer(transport, dns, { name: labName('mx.example.test'), code: typeCodes.A }, 30_000)
    assert.ok(said.kind === 'set' && said.content, JSON.stringify(said))
    const addresses = said.content.data.map((data) => ('address' in data ? data.address : '')).toSorted()
    return `${addresses.join(' ')} ${said.content.ttlSeconds}`
  }
  const both = `${[own, second.address].toSorted().join(' ')} 7`
  await lab.until(async () => (await answered()) === both)
  const isLogged = (event: string) =>
    gateway.lines.some((line) => line.event === event && line.address === second.address)
  await lab.until(() => isLogged('exchanger is reached'))

  second.signal('SIGKILL')
  await second.exited
  await lab.until(async () => (await answered()) === `${own} 7`, 60_000)
  await lab.until(() => isLogged('exchanger is down'))

  // What is declared is published all the same: plan sees nothing to do, and apply takes what is left out for what it is.
  const same = await callWaypost(gateway, 'plan', '--no-smtp')
  assert.equal(same.code, 0, same.stdout + same.stderr)
  await gateway.configure(text.replace('"ttl":"1h"', '"ttl":"2h"'))
  const applied = await callWaypost(gateway, 'apply', '--no-smtp', '--yes', '--wait', '2m')
  assert.equal(applied.code, 0, applied.stdout + applied.stderr)
  assert.equal(await answered(), `${own} 7`)

  const metrics = await (await fetch(`http://${own}:${pagePort}/metrics`)).text()
  assert.match(metrics, /^waypost_dns_server_zones 1$/m)
  assert.match(metrics, /^waypost_dns_server_answers_total\{answer="positive"\} [1-9]/m)

  const again = await lab.process({ config: { domains: { 'example.test': domain } }, after: second })
  await lab.until(async () => (await answered()) === both, 60_000)
  assert.equal(again.hasExited(), false)
})
