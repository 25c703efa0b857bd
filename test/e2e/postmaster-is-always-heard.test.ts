import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §4.5.1
async function inbox(state: string): Promise<readonly string[]> {
  const folder = join(state, 'postmaster', 'new')
  const names = await readdir(folder).catch(() => [])
  return Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')))
}

for (const to of ['postmaster', 'Postmaster', 'POSTMASTER@mx.waypost.test']) {
  test(`<${to}> lies in our Maildir, and no backend is asked`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway({ deliver: backend })
    assert.equal((await lab.send({ to, body: 'to the master' })).code, 250)
    const messages = await inbox(gateway.state)
    assert.equal(messages.length, 1)
    assert.match(messages[0] ?? '', /to the master/)
    assert.equal(backend.sessions.length, 0)
  })
}

test('postmaster@ a declared domain goes to its backend where that takes it', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const gateway = await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: 'postmaster@example.test' })).code, 250)
  assert.equal(backend.messages.length, 1)
  assert.equal((await inbox(gateway.state)).length, 0)
})

for (const [what, words] of [
  ['refuses it', { rcpt: '550 5.1.1 No such user' }],
  ['defers it', { rcpt: '450 4.2.0 Greylisted' }],
  ['refuses our MAIL', { mail: '530 5.7.0 Authenticate' }],
  ['is down', { connect: 'refuse' }],
] as const) {
  test(`postmaster@ a domain whose backend ${what} lies in our Maildir`, async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend(words)
    const gateway = await lab.gateway({ deliver: backend })
    for (const pipelined of [false, true])
      assert.equal((await lab.send({ to: 'postmaster@example.test', pipelined })).code, 250)
    assert.equal((await inbox(gateway.state)).length, 2)
    assert.equal(backend.messages.length, 0)
  })
}

test('refused postmasters count for nothing: the eleventh is heard as the first', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '550 5.1.1 No such user' })
  const gateway = await lab.gateway({ deliver: backend })
  const sender = await lab.connect()
  await sender.hello()
  for (let message = 0; message < 12; message++) {
    await sender.untilData('a@sender.test', 'postmaster@example.test')
    await sender.write('Subject: x\r\n\r\nx\r\n.\r\n')
    await sender.expect(250)
  }
  assert.equal((await inbox(gateway.state)).length, 12)
})

test('a postmaster that its backend refuses, behind a recipient that it took: another transaction, never 5yz', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({
    rcpt: (address) => (address.startsWith('postmaster') ? '550 5.1.1 No' : undefined),
  })
  await lab.gateway({ deliver: backend })
  const sent = await lab.send({ to: ['you@example.test', 'postmaster@example.test'] })
  assert.equal(sent.code, 250)
  assert.deepEqual(
    sent.recipients.map(({ code, enhanced }) => `${code} ${enhanced}`),
    ['250 2.1.5', '452 4.5.3'],
  )
  assert.deepEqual(backend.messages[0]?.to, ['you@example.test'])
})
