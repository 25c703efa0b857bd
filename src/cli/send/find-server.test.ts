import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { folder } from '../../../test/config-folder.ts'
import { findServer } from './find-server.ts'

const domains = 'domains: { a.example: { deliver: mx } }\n'

async function found(t: TestContext, text: string) {
  const err: string[] = []
  const path = join(await folder(t, { 'waypost.yaml': text }), 'waypost.yaml')
  return { server: await findServer(path, (line) => err.push(line)), err }
}

test('the server is the first listener of the configuration, as this machine reaches it', async (t) => {
  for (const [listen, server] of [
    ['"127.0.0.2:2626"', '127.0.0.2:2626'],
    ['["0.0.0.0:26", "127.0.0.1:27"]', '127.0.0.1:26'],
    ['"[::]:26"', '[::1]:26'],
    ['"[2001:db8::1]:26"', '[2001:db8::1]:26'],
  ])
    assert.deepEqual(await found(t, `listen: { smtp: ${listen} }\n${domains}`), { server, err: [] })
  assert.deepEqual(await found(t, domains), { server: '127.0.0.1:2525', err: [] })
})

test('of a configuration that is wrong it is the usual place, and that is told', async (t) => {
  const { server, err } = await found(t, `listen: { smtp: "127.0.0.2:2626" }\nx: y\n${domains}`)
  assert.equal(server, '127.0.0.1:2525')
  assert.match(
    err.join('\n'),
    /waypost\.yaml is not in order \("waypost config check" says why\), so 127\.0\.0\.1:2525 is/,
  )
})
