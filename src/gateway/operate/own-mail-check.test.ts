import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type LabZone, startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { type GatewayWords, settingsOf } from '../../../test/lab/settings.ts'
import { type Door, systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { createResolver } from '../../dns/resolver.ts'
import { checkOwnMail } from './own-mail-check.ts'

const outside = { listen: [{ address: '0.0.0.0', port: 25 }], hostname: 'mx.waypost.example' }

/** @returns what is found, as `about kind`, the texts, and the addresses that were connected to */
async function look(t: TestContext, zone: LabZone, words: GatewayWords, answers: readonly string[] = []) {
  const dns = await startDns(t, zone)
  const server = createServer((socket) => socket.on('error', () => undefined))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const connected: string[] = []
  const door: Door = {
    open(purpose, target, isPrivate) {
      if (target.kind !== 'tcp' || (purpose !== 'check' && purpose !== 'backend'))
        return systemDoor.open(purpose, target, isPrivate)
      connected.push(`${purpose} ${target.address}:${target.port}`)
      // Nothing leaves this machine: port 1 of loopback refuses.
      return {
        kind: 'opened',
        socket: connect({ host: '127.0.0.1', port: answers.includes(target.address) ? port : 1 }),
      }
    },
  }
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door }
  const resolver = createResolver({ servers: [dns.server], timeoutMs: 300, attempts: 1 }, deps)
  t.after(() => resolver.close())
  const place = { state: '/nowhere', certificate: '', key: '', address: '127.0.0.1' }
  const found = await checkOwnMail(settingsOf(words, place), { ...deps, resolver })
  return {
    kinds: found.map(({ about, kind }) => `${about} ${kind}`),
    text: found.map((each) => each.text).join('\n'),
    connected,
  }
}

const good: LabZone = {
  'mx.waypost.example': { A: ['9.8.7.6'], TXT: ['v=spf1 a -all'] },
  '6.7.8.9.in-addr.arpa': { PTR: ['mx.waypost.example'] },
  'example.test': {
    MX: [
      [10, 'mx.waypost.example'],
      [5, 'other.example'],
    ],
  },
  'other.example': { A: ['9.8.7.1', '9.8.7.2'] },
}

test('all is well: a name that leads back, SPF, and a way out', async (t) => {
  const { kinds, connected } = await look(t, good, outside, ['9.8.7.2'])
  assert.deepEqual(kinds, ['ptr fine', 'spf fine', 'port-25 fine'])
  assert.ok(
    connected.every((each) => /^check 9\.8\.7\.[12]:25$/.test(each)),
    connected.join(),
  )
})

test('no PTR, no SPF, a closed port: each is told with its remedy', async (t) => {
  const zone = { ...good, '6.7.8.9.in-addr.arpa': {}, 'mx.waypost.example': { A: ['9.8.7.6'] } }
  const { kinds, text } = await look(t, zone, outside)
  assert.deepEqual(kinds, ['ptr doubt', 'spf doubt', 'port-25 doubt'])
  assert.match(text, /PTR record to your hostname[\s\S]*"v=spf1 a -all"[\s\S]*set outbound\.via/)
})

test('a name that leads elsewhere, SPF that says fail, and nobody to try', async (t) => {
  const zone: LabZone = {
    'mx.waypost.example': { A: ['9.8.7.6'], TXT: ['v=spf1 ip4:9.8.7.7 -all'] },
    '6.7.8.9.in-addr.arpa': { PTR: ['static.provider.example'] },
    'static.provider.example': { A: ['9.9.9.8'] },
  }
  const { kinds } = await look(t, zone, outside)
  assert.deepEqual(kinds, ['ptr doubt', 'spf doubt', 'port-25 not-checked'])
})

test('IPv6 has names too, and the addresses of the configuration go before those of DNS', async (t) => {
  const reversed = `6.${'0.'.repeat(23)}8.b.d.0.2.0.a.2.ip6.arpa`
  const zone: LabZone = {
    'mx.waypost.example': { AAAA: ['2a02:db8::6'], TXT: ['v=spf1 a -all'] },
    [reversed]: { PTR: ['mx.waypost.example'] },
  }
  const { kinds } = await look(t, zone, { ...outside, publicAddresses: ['2a02:db8::6'] })
  assert.deepEqual(kinds, ['ptr fine', 'spf fine', 'port-25 not-checked'])
})

test('a gateway on this machine alone, a name without address, DNS that is silent', async (t) => {
  assert.deepEqual((await look(t, good, {})).kinds, [])
  assert.deepEqual((await look(t, {}, outside)).kinds, ['name doubt', 'port-25 not-checked'])
})

test('outbound.via carries it all: only that one is tried', async (t) => {
  const words = { ...outside, outbound: { via: 'smtp://10.0.0.9:26' } }
  const open = await look(t, good, words, ['10.0.0.9'])
  assert.deepEqual(open.kinds, ['port-25 fine'])
  assert.deepEqual(open.connected, ['backend 10.0.0.9:26'])
  assert.deepEqual((await look(t, good, words)).kinds, ['port-25 doubt'])
})
