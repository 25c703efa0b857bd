import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// RFC 5321 §7.9: who relays for strangers is soon refused by everybody.
test('undeclared domains, literals and relay syntax are refused before a backend is asked', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({
    domains: { 'example.test': { deliver: backend }, '*.wide.test': { deliver: backend } },
    leftRecently: (domain) => domain === 'left.test',
    limits: { refusedPerConnection: 100, refusedPerMinute: 100 },
  })
  for (const [to, said] of [
    ['you@elsewhere.test', '550 5.7.1'],
    ['you@sub.example.test', '550 5.7.1'],
    ['you@wide.test', '550 5.7.1'],
    ['you@left.test', '451 4.3.5'],
    ['you@[127.0.0.1]', '550 5.7.1'],
    ['you@[IPv6:::1]', '550 5.7.1'],
    ['victim%elsewhere.test@example.test', '553 5.1.3'],
    ['elsewhere.test!victim@example.test', '553 5.1.3'],
    ['"victim@elsewhere.test"@example.test', '553 5.1.3'],
    ['"victim%elsewhere.test"@example.test', '553 5.1.3'],
    ['@example.test:victim@elsewhere.test', '550 5.7.1'],
  ] as const) {
    const sent = await lab.send({ to })
    assert.equal(`${sent.code} ${sent.enhanced}`, said, to)
    assert.equal(sent.step, 'rcpt')
  }
  assert.equal(backend.sessions.length, 0)
})

test('a source route is stripped, and the last mailbox is judged and handed on', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ deliver: backend })
  assert.equal((await lab.send({ to: '@a.test,@b.test:you@example.test' })).code, 250)
  assert.deepEqual(backend.messages[0]?.to, ['you@example.test'])
})

test('a declared domain matches in any case, and subdomains by the star', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ domains: { 'example.test': { deliver: backend }, '*.wide.test': { deliver: backend } } })
  for (const to of ['you@EXAMPLE.Test', 'you@a.wide.test', 'you@a.b.WIDE.test'])
    assert.equal((await lab.send({ to })).code, 250, to)
  assert.equal(backend.messages.length, 3)
})

test('`addresses`: an exact local part, then a prefix, then the domain', async (t) => {
  const lab = await startLab(t)
  const [domain, sales, lists] = [await lab.backend(), await lab.backend(), await lab.backend()]
  await lab.gateway({
    domains: {
      'example.test': {
        deliver: domain,
        addresses: { 'sales@': sales, 'list-*@': lists, 'list-x@': sales, 'odd%one@': sales },
      },
    },
  })
  for (const [to, backend] of [
    ['you@example.test', domain],
    ['SALES@example.test', sales],
    ['sales2@example.test', domain],
    ['list-a@example.test', lists],
    ['list-x@example.test', sales],
    ['odd%one@example.test', sales],
  ] as const) {
    const before = backend.messages.length
    assert.equal((await lab.send({ to })).code, 250, to)
    assert.equal(backend.messages.length, before + 1, to)
  }
  // A prefix that happens to match is not a listing of what a backend might relay on.
  const sent = await lab.send({ to: 'list-a%elsewhere.test@example.test' })
  assert.deepEqual([sent.code, sent.enhanced], [553, '5.1.3'])
})

test('a `recipients:` list says who exists, without asking; postmaster always does', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  await lab.gateway({ domains: { 'example.test': { deliver: backend, recipients: ['you', 'me'] } } })
  const unknown = await lab.send({ to: 'nobody@example.test' })
  assert.deepEqual([unknown.step, unknown.code, unknown.enhanced], ['rcpt', 550, '5.1.1'])
  assert.equal(backend.sessions.length, 0)
  for (const to of ['you@example.test', 'ME@example.test', 'postmaster@example.test'])
    assert.equal((await lab.send({ to })).code, 250, to)
  assert.equal(backend.messages.length, 3)
})

test('a recipient that is listed is still the backend’s to refuse', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ rcpt: '550 5.2.1 Mailbox disabled' })
  await lab.gateway({ domains: { 'example.test': { deliver: backend, recipients: ['you'] } } })
  const sent = await lab.send({ to: 'you@example.test' })
  assert.deepEqual([sent.code, sent.enhanced], [550, '5.2.1'])
})
