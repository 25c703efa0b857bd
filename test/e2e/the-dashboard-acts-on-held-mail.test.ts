/** The dashboard's API on a gateway with held mail: what who may see, counts that must be agreed to, and events as they happen. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkInto } from '../lab/dashboard.ts'
import { startLab } from '../lab/lab.ts'

test('held mail is counted, acted upon and followed through the API', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const waypost = await lab.process({
    dashboard: true,
    config: { domains: { 'example.test': { deliver: [backend.url] } } },
  })
  await backend.kill()
  for (const to of ['you@example.test', 'bob@example.test', 'bob@example.test'])
    await lab.send({ to, from: 'ann@partner.example' })
  const [origin = '', key = ''] = (await linkInto(waypost)).split('/enter#')

  const call = async (path: string, body?: unknown, cookie = '') => {
    const response = await fetch(origin + path, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { cookie, origin, 'x-waypost-action': '1', 'content-type': 'application/json' },
    })
    const set = response.headers.get('set-cookie')?.split(';')[0] ?? ''
    return { status: response.status, set, json: (await response.json()) as Record<string, unknown> }
  }
  const opened = await call('/api/session', { key })
  assert.equal(opened.status, 200)
  const known = (path: string, body?: unknown) => call(path, body, opened.set)

  // Who is not known sees that it is held, and neither where its backend is nor whose it is.
  const glance = await call('/api/overview')
  assert.equal((glance.json.held as { messages: number }).messages, 3)
  const seen = JSON.stringify(glance.json)
  assert.doesNotMatch(seen, /127\.|@|partner/)
  assert.match(seen, /"state":"holding"/)
  assert.equal((await call('/api/queue')).status, 401)
  assert.ok(JSON.stringify((await known('/api/overview')).json).includes(backend.url))

  const pageAfter = async (after: string) =>
    (await known(`/api/queue?limit=2${after}`)).json as { messages: { id: string }[]; next: string | null }
  const firstPage = await pageAfter('')
  const lastPage = await pageAfter(`&after=${firstPage.next}`)
  assert.deepEqual([firstPage.messages.length, lastPage.messages.length, lastPage.next], [2, 1, null])
  assert.equal(new Set([...firstPage.messages, ...lastPage.messages].map(({ id }) => id)).size, 3)

  const filter = { recipient: 'bob@example.test' }
  const counted = await known('/api/queue/count', { filter })
  assert.deepEqual([counted.json.messages, counted.json.isExact], [2, true])
  const wrong = await known('/api/queue/act', { act: 'remove', filter, messages: 1 })
  assert.equal(wrong.status, 409)
  assert.match(String(wrong.json.why), /2 messages by now/)
  assert.equal(
    (await known('/api/queue/act', { act: 'route', filter, messages: 2, to: 'smtp://192.0.2.1' })).status,
    400,
  )
  const removed = await known('/api/queue/act', { act: 'remove', filter, messages: 2 })
  assert.deepEqual([removed.status, removed.json.messages, removed.json.next], [200, 2, null])
  const listed = (await known('/api/queue')).json.messages as { id: string }[]
  assert.equal(listed.length, 1)
  const audited = () => waypost.lines.find((each) => each.action === 'POST /api/queue/act' && each.status === 200)
  await lab.until(() => audited() !== undefined)
  const line = audited()
  assert.deepEqual([line?.by, line?.act, line?.messages, line?.byAddress], ['link', 'remove', 2, true])
  assert.doesNotMatch(JSON.stringify(line), /bob/)

  const eml = await fetch(`${origin}/api/messages/${listed[0]?.id}/eml`, { headers: { cookie: opened.set } })
  assert.match(await eml.text(), /^Received: .*\r\n[\s\S]*\r\nhello\r\n$/)

  const events = await fetch(`${origin}/api/events`, { headers: { cookie: opened.set } })
  assert.match(events.headers.get('content-type') ?? '', /^text\/event-stream/)
  let text = ''
  const reading = (async () => {
    for await (const chunk of events.body ?? []) {
      text += Buffer.from(chunk).toString()
      if (/"flows":1/.test(text)) return
    }
  })()
  await lab.until(() => /event: overview\ndata: .*"holding":1/.test(text))
  await backend.restart()
  assert.equal((await known('/api/backends/probe', { url: backend.url })).status, 200)
  await reading
  await lab.until(() => backend.accepted.length === 1)

  await lab.until(async () => {
    const { events: kept } = (await known('/api/history')).json as { events: { title: string }[] }
    return kept.some(({ title }) => title === '2 held messages removed by somebody with the link')
  }, 30_000)
  assert.match(String((await fetch(`${origin}/readyz`)).status), /200/)
})
