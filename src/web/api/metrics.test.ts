import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { idle, noAccess } from '../../../test/lab/web.ts'
import { createWeb } from '../web.ts'

const socket = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: 8025 }

test('metrics say what was counted, by the conventions of Prometheus, and name no backend to whom nobody knows', async () => {
  const counts = idle.figures.snapshot()
  const web = createWeb({
    ...idle,
    settings: () => noAccess,
    dnsServer: () => ({
      zones: 2,
      names: 9,
      tcpConnections: 1,
      notifications: 3,
      answers: { positive: 40, limited: 5 },
    }),
    figures: {
      ...idle.figures,
      snapshot: () => ({
        ...counts,
        messagesStopped: [{ why: 'too-big', count: 2 }],
        possibleDuplicates: 2,
        held: { messages: 3, bytes: 4096, oldestMs: 1_000_000 },
        atMs: 1_060_000,
        backends: [
          { url: 'smtp://10.0.0.1', address: '10.0.0.1:25', state: 'down', sessions: 0, lastError: null, share: 0 },
        ],
        routes: [
          {
            route: 'office',
            messages: { delivered: 7, refused: 1, deferred: 0, held: 3, unknown: 0 },
            attempts: { delivered: 2, refused: 0, deferred: 5, unknown: 0, failed: 0 },
            bytes: 9000,
            latency: [4, 0, 3, ...new Array<number>(13).fill(0)],
            latencySumSeconds: 0.25,
          },
        ],
      }),
    },
  })
  const request = new Request('http://127.0.0.1:8025/metrics', { headers: { host: '127.0.0.1:8025' } })
  const response = await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)
  const text = await response.text()
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  for (const line of [
    'waypost_messages_total{route="office",verdict="delivered"} 7',
    'waypost_dns_server_answers_total{answer="positive"} 40',
    'waypost_dns_server_answers_total{answer="limited"} 5',
    'waypost_dns_server_zones 2',
    'waypost_dns_server_names 9',
    'waypost_dns_server_tcp_connections 1',
    'waypost_dns_server_notifications 3',
    'waypost_messages_stopped_total{why="too-big"} 2',
    'waypost_attempts_total{route="office",outcome="deferred"} 5',
    'waypost_possible_duplicates_total 2',
    'waypost_held_messages 3',
    'waypost_held_oldest_age_seconds 60',
    'waypost_cut_through_seconds_bucket{route="office",le="0.005"} 4',
    'waypost_cut_through_seconds_bucket{route="office",le="+Inf"} 7',
    'waypost_cut_through_seconds_sum{route="office"} 0.25',
    'waypost_backend_state{backend="backend 1",address="",state="down"} 1',
    'waypost_backend_state{backend="backend 1",address="",state="up"} 0',
  ])
    assert.ok(text.split('\n').includes(line), line)
  assert.doesNotMatch(text, /10\.0\.0\.1/)
  // Every sample belongs to a family that was announced.
  const families = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  for (const [, name = ''] of text.matchAll(/^([a-z_]+)[{ ]/gm))
    assert.ok(families.has(name) || families.has(name.replace(/_(?:bucket|sum|count)$/, '')), name)
})

test('every metric stands in docs/metrics.md, and nothing else does', async () => {
  const documented = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
  const dnsServer = { zones: 1, names: 1, tcpConnections: 0, notifications: 0, answers: { positive: 1 } }
  const glance = { findings: {}, conditions: {}, checkedDomains: 0, certificates: [] }
  const web = createWeb({
    ...idle,
    settings: () => noAccess,
    dnsServer: () => dnsServer,
    watch: { ...idle.watch, glance: () => glance } as never,
  })
  const request = new Request('http://127.0.0.1:8025/metrics', { headers: { host: '127.0.0.1:8025' } })
  const text = await (await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)).text()
  const written = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
  const told = [...documented.matchAll(/`(waypost_[a-z_]+)`/g)].map(([, name = '']) => name)
  assert.deepEqual(written.toSorted(), told.toSorted())
})

test('of very many backends and domains two hundred have figures of their own', async () => {
  const many = Array.from({ length: 250 }, (_, index) => index)
  const web = createWeb({
    ...idle,
    settings: () => noAccess,
    queue: {
      totals: { messages: 250, bytes: 250, oldestMs: 0 },
      domains: () =>
        many.map((index) => ({ domain: `d${index}.test`, messages: 2, bytes: 1, oldestMs: 0, byState: { ready: 2 } })),
    } as never,
    figures: {
      ...idle.figures,
      snapshot: () => ({
        ...idle.figures.snapshot(),
        backends: many.map((index) => ({
          ...{ url: `smtp://b${index}.test`, address: '', state: 'up', sessions: 0, lastError: null, share: 0 },
        })),
      }),
    } as never,
  })
  const request = new Request('http://127.0.0.1:8025/metrics', { headers: { host: '127.0.0.1:8025' } })
  const text = await (await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)).text()
  assert.equal(text.match(/^waypost_backend_sessions\{/gm)?.length, 200)
  assert.equal(text.match(/^waypost_domain_held_messages\{/gm)?.length, 201)
  assert.match(text, /^waypost_domain_held_messages\{domain="other"\} 100$/m)
})
