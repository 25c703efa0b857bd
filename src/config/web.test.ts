import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { load, problems } from '../../test/config-folder.ts'

const domains = 'domains: { a.example: { deliver: mx } }\n'
const hash = `scrypt:15:8:1:${'A'.repeat(22)}:${'B'.repeat(43)}`
const access = `web: { access: [{ name: ann, role: operate, hash: "${hash}" }] }\n`
const pair = readFileSync(new URL('../../test/fixtures/mx.example.test.pem', import.meta.url), 'utf8')

test('without a word the dashboard is on loopback, and who wants none says off', async (t) => {
  const { web } = await load(t, domains)
  assert.deepEqual([web.listen, web.isDefaultPlace, web.tls], [[{ address: '127.0.0.1', port: 8025 }], true, undefined])
  const off = await load(t, `listen: { http: off }\n${domains}`)
  assert.deepEqual([off.web.listen, off.web.isDefaultPlace], [[], false])
})

test('elsewhere than on loopback it wants somebody who may come in, and a certificate', async (t) => {
  const listen = 'listen: { http: ["127.0.0.1:8026", "0.0.0.0:8025"] }\n'
  const both = await problems(t, `${listen}${domains}`)
  assert.equal(both.length, 2)
  assert.match(both.join('\n'), /wants a token or a password/)
  assert.match(both.join('\n'), /wants a certificate/)
  assert.equal((await problems(t, `${listen}${access}${domains}`)).length, 1)
  const { web } = await load(t, `${listen}${access}tls: { certificate: c.pem, key: c.pem }\n${domains}`, {
    'c.pem': pair,
  })
  assert.match(web.tls?.certificate ?? '', /c\.pem$/)
  assert.equal(web.access[0]?.role, 'operate')
})

test('the certificate of the exchanger is not that of the dashboard on loopback', async (t) => {
  const { web } = await load(t, `tls: { certificate: c.pem, key: c.pem }\n${domains}`, { 'c.pem': pair })
  assert.equal(web.tls, undefined)
})

test('a secret in the place of its hash, a name twice and a host that is none are told', async (t) => {
  const [secret] = await problems(t, `web: { access: [{ name: ann, role: view, hash: "hunter2" }] }\n${domains}`)
  assert.match(secret ?? '', /a hash such as/)
  assert.doesNotMatch(secret?.split('\n')[0] ?? '', /hunter2/)
  const twice = `web: { access: [{ name: ann, role: view, hash: "${hash}" }, { name: ann, role: read, hash: "${hash}" }] }\n`
  assert.match((await problems(t, `${twice}${domains}`)).join('\n'), /"ann" stands in the list already/)
  assert.match((await problems(t, `web: { hosts: ["https://x.example"] }\n${domains}`)).join('\n'), /a host name/)
})

test('where web: or tls: is wrong, what they would say is not asked for besides', async (t) => {
  const listen = 'listen: { http: "0.0.0.0:8025" }\n'
  const tls = 'tls: { certificate: c.pem, key: c.pem }\n'
  const role = `web: { access: [{ name: ann, role: admin, hash: "${hash}" }], ${tls.trim()} }\n`
  assert.match(
    (await problems(t, `${listen}${role}${domains}`)).join('\n'),
    /^2:\d+ web\.access\[1\]\.role wants one of [^\n]*$/,
  )
  const unknown = (await problems(t, `${listen}${access}tls: { certificat: c.pem }\n${domains}`)).join('\n')
  assert.doesNotMatch(unknown, /elsewhere than on loopback/)
  const neither = (await problems(t, `${listen}${domains}`)).join('\n')
  assert.match(neither, /wants a token.*\n.*wants a certificate/)
})
