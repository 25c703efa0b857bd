import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../../test/config-folder.ts'
import { settingChanges } from './setting-changes.ts'

test('where mail is taken and the keys that are others now are told, and what is written in another way is not', async (t) => {
  const loaded = (text: string) => load(t, `domains: { a.example: { deliver: mx } }\n${text}`)
  const before = await loaded(
    'listen: { smtp: "127.0.0.1:2525", dsn: false }\nlog: { file: a.log }\nhostname: mx.a.example',
  )
  const after = await loaded(
    'hostname: mx.a.example\nlisten: { smtp: ["127.0.0.1:2526", "[::1]:25"], dsn: true, http: off }\nalerts: { interval: 10m }',
  )
  assert.deepEqual(settingChanges(before, after), [
    'listens on 127.0.0.1:2526, [::1]:25 now, no longer on 127.0.0.1:2525',
    'alerts, listen.dsn, listen.http, log changed',
  ])
  const fewer = await loaded('listen: { smtp: "127.0.0.1:2526" }')
  const same = await loaded('listen: { smtp: ["127.0.0.1:2526"] }')
  const more = await loaded('listen: { smtp: ["127.0.0.1:2526", "[::1]:25"] }')
  assert.deepEqual(settingChanges(fewer, same), [])
  assert.deepEqual(settingChanges(more, fewer), ['listens no longer on [::1]:25'])
})
