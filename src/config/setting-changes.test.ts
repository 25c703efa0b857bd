import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { deps, folder, load } from '../../test/config-folder.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { loadConfig } from './load.ts'
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

test('a certificate that was renewed under the same path is told with its names and its end, and one that stayed is not', async (t) => {
  const notAfterMs = Date.UTC(2031, 0, 15)
  const make = (dnsNames: readonly string[]) => makeCertificate({ name: 'mx.a.example', dnsNames, notAfterMs })
  const [old, names] = [make(['mx.a.example']), ['mx.a.example', 'b.example', 'c.example', 'd.example']]
  const tls = (name: string) => `{ certificate: ${name}.pem, key: key.pem }`
  const path = await folder(t, {
    'waypost.yaml': `tls: ${tls('mx')}\nweb: { tls: ${tls('web')} }\ndomains: { a.example: { deliver: mx } }\n`,
    ...{ 'mx.pem': old.pem, 'web.pem': old.pem, 'key.pem': old.keyPem },
  })
  const reload = async () => {
    const loaded = await loadConfig(join(path, 'waypost.yaml'), deps)
    return loaded.kind === 'loaded' ? loaded : assert.fail()
  }
  const before = await reload()
  assert.deepEqual(settingChanges(before, await reload()), [])
  await writeFile(join(path, 'mx.pem'), make(names).pem)
  const after = await reload()
  const until = 'until 2031-01-15 00:00:00 UTC'
  assert.deepEqual(settingChanges(before, after), [
    `tls has another certificate now, for mx.a.example, b.example, c.example and 1 more, ${until}`,
  ])
  await writeFile(join(path, 'web.pem'), make([]).pem)
  assert.deepEqual(settingChanges(after, await reload()), [
    `web.tls has another certificate now, for mx.a.example, ${until}`,
  ])
})
