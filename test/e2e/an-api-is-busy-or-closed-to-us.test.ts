/** A provider's API that has us wait, or lets us read alone: the person hears of it in time, and the token stands in nothing that is said. */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { nameServerText } from '../../src/dns/servers.ts'
import { apiUrlText } from '../../src/publish/api-url.ts'
import { commandFolder } from '../lab/command.ts'
import { startDns } from '../lab/dns.ts'
import { startApiStub } from '../unit/api-stub.ts'

const token = 'secret-token-of-the-test'
const zoneId = '023e105f4ecef8ad9ca31a8372d0c353'

test('pauses are told with their sum, a token that may only read is told by the plan, and no text holds it', async (t) => {
  const json = (status: number, body: object, headers = {}) => ({ status, body: JSON.stringify(body), headers })
  const closed = { success: false, errors: [{ code: 10_000, message: `no right for ${token}` }], result: null }
  let busy = 2
  const stub = await startApiStub(t, '/client/v4', ({ method, path }) => {
    if (busy-- > 0) return json(429, closed, { 'retry-after': '1' })
    if (method === 'POST') return json(403, closed)
    const permissions = ['#zone:read', '#dns_records:read']
    return path === '/client/v4/zones'
      ? json(200, { success: true, result: [{ id: zoneId, name: 'example.test', permissions }] })
      : json(200, { success: true, result: [] })
  })
  const { server } = await startDns(t, { 'mx.example.net': { A: ['192.0.2.1'] } })
  const { folder, run } = await commandFolder(t, { TOKEN: token })
  await writeFile(
    join(folder, 'waypost.yaml'),
    JSON.stringify({
      ...{ hostname: 'mx.waypost.test', state: join(folder, 'state') },
      resolver: { servers: [nameServerText(server)] },
      publishers: { there: { type: 'cloudflare', url: apiUrlText(stub.url), token: '$' + '{TOKEN}' } },
      domains: {
        'example.test': { exchangers: [{ preference: '10', host: 'mx.example.net' }], publish: 'there' },
      },
    }),
  )

  const planned = await run('plan', '--no-smtp')
  assert.equal(planned.code, 3, planned.out + planned.err)
  const waits = planned.err.split('\n').filter((line) => line.includes('is busy'))
  assert.equal(waits.length, 2, planned.err)
  assert.match(
    waits[0] ?? '',
    /Cloudflare \(http:\/\/127\.0\.0\.1:\d+\/client\/v4\) is busy and wants us to wait: 1 s$/,
  )
  assert.match(waits[1] ?? '', /wants us to wait: 1 s, 2 s with those before$/)
  assert.match(planned.out, /the token may read the records of example\.test\. and not change them/)

  const applied = await run('apply', '--no-smtp', '--yes')
  assert.equal(applied.code, 2, applied.out + applied.err)
  assert.match(applied.err, /Nothing was changed/)
  const asJson = await run('plan', '--no-smtp', '--json')
  assert.equal(asJson.code, 3)
  for (const { out, err } of [planned, applied, asJson]) assert.doesNotMatch(out + err, new RegExp(token))
})
