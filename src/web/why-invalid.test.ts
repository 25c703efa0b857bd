import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectLog } from '../../test/lab/log.ts'
import { idle, noAccess } from '../../test/lab/web.ts'
import { systemRandom } from '../base/random.ts'
import { hashSecret, readSecretHash } from './access/secret-hash.ts'
import { createWeb } from './web.ts'

const headers = { host: '127.0.0.1:8025', authorization: 'Bearer ann.a-long-password' }

/** The dashboard, asked by somebody who may do everything. */
async function start() {
  const hash = readSecretHash(await hashSecret('a-long-password', systemRandom, 14))
  assert.ok(hash.kind !== 'no')
  const { log, lines } = collectLog()
  const access = [{ name: 'ann', role: 'operate' as const, hash: hash.value }]
  const web = createWeb({ ...idle, log, settings: () => ({ ...noAccess, access }) })
  const socket = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: 8025 }
  const refused = async (request: Request) => {
    const response = await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)
    return [response.status, ((await response.json()) as { why: string }).why]
  }
  return { refused, lines }
}

test('what is wrong with a question is said in a sentence: which parameter, what came, what it may be', async () => {
  const { refused } = await start()
  const why = async (path: string) => {
    return await refused(new Request(`http://127.0.0.1:8025${path}`, { headers }))
  }
  for (const [path, said] of [
    ['/api/history?limit=abc', 'limit is "abc": it has to be a whole number from 1 to 200'],
    ['/api/history?limit=', 'limit is "": it has to be a whole number from 1 to 200'],
    ['/api/history?limit=1.5', 'limit is "1.5": it has to be a whole number from 1 to 200'],
    ['/api/history?before=0', 'before is "0": it has to be a whole number, 1 or more'],
    ['/api/history?limi=5', 'there is no "limi" here, but there is "limit"'],
    ['/api/history?x%1b=5', 'there is no "x\\x1b" here; there are domain, before, limit'],
    [
      `/api/history?domain=${'d'.repeat(300)}`,
      `domain is "${'d'.repeat(80)}…": it has to be a text of at most 260 characters`,
    ],
    ['/api/domains?state=bad', 'state is "bad": it has to be one of '],
    ['/api/domains?skip=-1', 'skip is "-1": it has to be a whole number from 0 to 10000000'],
    ['/api/queue?receivedBeforeMs=now', 'receivedBeforeMs is "now": it has to be a number'],
    [
      '/api/queue?states=ready,gone',
      'states is "ready,gone": it has to be one or more, with commas between, of offered',
    ],
    ['/api/queue?after=x', 'after is "x": it has to be the `next` of the page before'],
    ['/api/subjects', 'ids is missing: it has to be a text'],
    ['/api/subjects?ids=a,,b', 'ids is "a,,b": it has to be up to 50 ids of messages, with commas between'],
    ['/api/messages/a_b', 'id is "a_b": it has to be the id of a message'],
  ] as const) {
    const [status, text] = await why(path)
    assert.equal(status, 400, path)
    assert.equal(String(text).slice(0, said.length), said)
  }
})

test('what is wrong with a body is said in the same way, and what is no JSON is no fault of ours', async () => {
  const { refused, lines } = await start()
  const send = async (body: string, more: Record<string, string> = {}) => {
    const acting = { 'content-type': 'application/json', ...more }
    const about = { method: 'POST', headers: { ...headers, ...acting }, body }
    return await refused(new Request('http://127.0.0.1:8025/api/queue/act', about))
  }
  const filter = {}
  const of = (body: unknown) => send(JSON.stringify(body))
  assert.deepEqual(await of({ act: 'eat', filter, messages: 1 }), [
    400,
    'act is "eat": it has to be one of retry, hold, release, route, remove',
  ])
  assert.deepEqual(await of({ act: 'hold', filter: { states: ['gone'] }, messages: 1 }), [
    400,
    'filter.states.0 is "gone": it has to be one of offered, ready, waiting, unknown, held, no-route, refused, expired, set-aside, corrupt',
  ])
  assert.deepEqual(await of({ act: 'hold', filter: { domian: 'x' }, messages: 1 }), [
    400,
    'there is no "domian" here, but there is "domain"',
  ])
  assert.deepEqual(await send('{"act":'), [400, 'the request is no JSON: /api/openapi.json says how it has to be'])
  assert.deepEqual(await send('{}', { 'content-type': 'text/plain' }), [
    415,
    'the body has to be JSON, and to say so: content-type: application/json',
  ])
  assert.equal(lines.filter(({ level }) => level === 'error').length, 0)
})
