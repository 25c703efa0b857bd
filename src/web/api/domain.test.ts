import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idle, noAccess } from '../../../test/lab/web.ts'
import { systemRandom } from '../../base/random.ts'
import type { CheckedState } from '../../watch/checked-state.ts'
import { hashSecret, readSecretHash } from '../access/secret-hash.ts'
import type { WebDeps } from '../deps.ts'
import { createWeb } from '../web.ts'
import type { DomainAnswer } from './domain.ts'

const socket = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: 8025 }
const backend = { url: 'smtp://10.0.0.1' }
const route = { id: 'office', balance: 'round-robin', entries: [{ backend, preference: 10, weight: 1 }] }
const domain = {
  ...{ name: 'example.com', subdomains: false, route },
  hold: { holdMs: 1000, unknownRecipients: 'hold', refusedAfterHold: 'keep' },
}
const seen: CheckedState = {
  ...{ atMs: 5_000, notChecked: 2, couldExamine: true, certificates: [], exchangers: [] },
  records: [{ name: 'example.com', type: 'MX', data: ['10 old.example.net.'] }],
  findings: [
    {
      ...{ key: 'k', id: 'spf-missing', severity: 'warning', title: 'no SPF record', seen: 'there is none' },
      ...{ why: 'mail is taken for forged', remedy: 'Publish one:\nexample.com. TXT "v=spf1 mx -all"', sinceMs: 4_000 },
    },
  ],
}

test('a domain: latency of each backend, all that is declared beside what was seen, and what the watch found', async () => {
  const hash = readSecretHash(await hashSecret('sees', systemRandom, 14))
  if (hash.kind === 'no') throw new Error(hash.why)
  const report = { ...backend, address: '10.0.0.1:25', state: 'up', sessions: 1, share: 1, lastError: null }
  const web = createWeb({
    ...idle,
    settings: () => ({ ...noAccess, access: [{ name: 'see', role: 'view', hash: hash.value }] }),
    gateway: { ...idle.gateway, backends: () => [report] as never },
    gatewaySettings: () => ({ hostname: 'mx', destinations: { domains: [domain], routes: [route] } }) as never,
    figures: { ...idle.figures, latency: () => ({ p50Ms: 4, p95Ms: 30, p99Ms: 90 }) },
    declarationOf: () => ({
      publisher: 'here',
      records: [
        { name: 'example.com', type: 'MX', data: ['10 mx1.example.com.'] },
        { name: 'mx1.example.com', type: 'A', data: ['192.0.2.1'] },
      ],
    }),
    watch: { domain: async () => seen } as unknown as WebDeps['watch'],
  })
  const headers = { host: '127.0.0.1:8025', authorization: 'Bearer see.sees' }
  const asked = new Request('http://127.0.0.1:8025/api/domains/example.com', { headers })
  const response = await web.app.fetch(asked, { incoming: { socket }, outgoing: {} } as never)
  const { backends, records, publisher, lastCheck } = (await response.json()) as DomainAnswer
  assert.deepEqual(
    backends[0]?.addresses.map(({ p50Ms, p95Ms }) => [p50Ms, p95Ms]),
    [[4, 30]],
  )
  assert.deepEqual(
    records.map(({ type, data, isDeclared, isPublished }) => [type, data, isDeclared, isPublished]),
    [
      ['MX', '10 mx1.example.com.', true, false],
      ['MX', '10 old.example.net.', false, true],
      ['A', '192.0.2.1', true, null],
    ],
  )
  assert.equal(publisher, 'here')
  assert.equal(lastCheck?.id, null)
  assert.equal(lastCheck?.headline, '1 thing is not as it should be; 2 points could not be checked.')
  assert.deepEqual(lastCheck?.findings[0]?.remedy, {
    text: 'Publish one:',
    lines: ['example.com. TXT "v=spf1 mx -all"'],
  })
})
