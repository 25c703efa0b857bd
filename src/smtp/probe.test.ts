import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ExchangerWords, startExchanger } from '../../test/lab/exchanger.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { systemDoor } from '../base/door.ts'
import { parseIp } from '../base/ip.ts'
import { parseName } from '../dns/name.ts'
import { type ProbeOptions, probe, type WantedRecipient } from './probe.ts'
import { keywordsOf, type ProbedSession, type Said } from './probe-facts.ts'

const root = makeCertificate({ name: 'Root', isCa: true })
const middle = makeCertificate({ name: 'Middle', isCa: true, issuer: root })
const leaf = makeCertificate({ name: 'mx.example.test', issuer: middle })
const chain = [leaf, middle]
const unrelated = makeCertificate({ name: 'Unrelated', isCa: true })

const recipients: readonly WantedRecipient[] = [
  { purpose: 'postmaster', address: 'postmaster@example.test', sender: null },
  { purpose: 'unknown', address: 'nobody-1@example.test', sender: null },
  { purpose: 'foreign', address: 'x@elsewhere.test', sender: 'probe@prober.test' },
]

async function visit(t: TestContext, words: Partial<ExchangerWords>, more: Partial<ProbeOptions> = {}) {
  const exchanger = await startExchanger(t, { name: 'mx.example.test', ...words })
  const address = parseIp(exchanger.address)
  const name = parseName('mx.example.test')
  assert.ok(address && name.kind === 'name')
  let connections = 0
  const session = await probe(
    {
      address,
      port: exchanger.port,
      hello: 'prober.test',
      serverName: name.name,
      recipients,
      extras: [],
      injects: false,
      isPrivate: true,
      ...more,
      limits: { pauseMs: 0, greetingMs: 2_000, commandMs: 2_000, handshakeMs: 2_000, ...more.limits },
    },
    { clock: steadyClock, door: systemDoor, mayConnect: () => ++connections <= 8 },
  )
  return { session, exchanger }
}

const code = (said: Said) =>
  said.kind === 'reply' ? said.reply.code : said.kind === 'failed' ? said.fault.kind : said.reason
const codes = ({ recipients }: ProbedSession) => recipients.map(({ said }) => code(said))

test('a whole session, under TLS, and never DATA', async (t) => {
  const { session, exchanger } = await visit(t, { chain })
  assert.equal(session.connect.kind, 'connected')
  assert.deepEqual(
    [session.greeting, session.ehlo, session.mailInClear, session.startTls, session.ehloInTls, session.quit].map(code),
    [220, 250, 250, 220, 250, 221],
  )
  assert.ok(session.handshake.kind === 'secured')
  assert.equal(session.handshake.version, 'TLSv1.3')
  assert.equal(session.handshake.leafKey, 'ecdsa')
  assert.deepEqual(session.handshake.chain, [leaf.der, middle.der])
  assert.deepEqual(codes(session), [250, 550, 550])
  assert.ok(keywordsOf(session.ehlo).has('STARTTLS'))
  assert.equal(keywordsOf(session.ehloInTls).get('SIZE'), '52428800')
  assert.deepEqual(exchanger.serverNames, ['mx.example.test'])
  assert.deepEqual(exchanger.commands, [
    ...['EHLO prober.test', 'MAIL FROM:<>', 'RSET', 'STARTTLS', 'EHLO prober.test', 'MAIL FROM:<>', 'RSET'],
    ...['MAIL FROM:<>', 'RCPT TO:<postmaster@example.test>', 'RSET'],
    ...['MAIL FROM:<>', 'RCPT TO:<nobody-1@example.test>', 'RSET'],
    ...['MAIL FROM:<probe@prober.test>', 'RCPT TO:<x@elsewhere.test>', 'RSET', 'QUIT'],
  ])
  assert.equal(exchanger.connections.all, 1)
})

test('the chain is what was sent, in that order, and nothing of our own store', async (t) => {
  const sent = async (...issued: (typeof leaf)[]) => {
    const { session } = await visit(t, { chain: issued }, { recipients: [] })
    assert.ok(session.handshake.kind === 'secured')
    return session.handshake.chain.map(
      (der) => [leaf, middle, root, unrelated].find((one) => one.der.equals(der))?.name,
    )
  }
  assert.deepEqual(await sent(leaf), ['mx.example.test'])
  assert.deepEqual(await sent(leaf, middle, root), ['mx.example.test', 'Middle', 'Root'])
  assert.deepEqual(await sent(leaf, root, middle), ['mx.example.test', 'Root', 'Middle'])
  assert.deepEqual(await sent(leaf, unrelated, middle), ['mx.example.test', 'Unrelated', 'Middle'])
})

test('without STARTTLS the questions are put in the clear', async (t) => {
  const { session } = await visit(t, {})
  assert.deepEqual([session.startTls, session.mailInClear, session.ehloInTls].map(code), [
    'not-reached',
    'not-reached',
    'not-reached',
  ])
  assert.deepEqual(codes(session), [250, 550, 550])
})

test('STARTTLS that is refused is told, and the session goes on in the clear', async (t) => {
  const { session } = await visit(t, { chain, startTls: '454 4.7.0 not now' })
  assert.equal(code(session.startTls), 454)
  assert.ok(session.handshake.kind === 'not-said' && session.handshake.reason === 'told-to-wait')
  assert.deepEqual(codes(session), [250, 550, 550])
})

test('a server that wants TLS before MAIL shows it', async (t) => {
  const { session } = await visit(t, {
    chain,
    mail: (_path, isSecure) => (isSecure ? undefined : '530 5.7.0 Must issue a STARTTLS command first'),
  })
  assert.equal(code(session.mailInClear), 530)
  assert.deepEqual(codes(session), [250, 550, 550])
})

test('a refusing greeting ends it with QUIT, and a waiting one says so', async (t) => {
  const refusing = await visit(t, { chain, greeting: '554 no service for you' }, { extras: ['old-tls'] })
  assert.deepEqual(refusing.exchanger.commands, ['QUIT'])
  assert.deepEqual([refusing.session.greeting, refusing.session.ehlo].map(code), [554, 'not-reached'])
  const waiting = await visit(t, { chain, greeting: '421 4.7.0 too many connections' }, { extras: ['old-tls'] })
  assert.deepEqual([waiting.session.ehlo, waiting.session.quit].map(code), ['told-to-wait', 'told-to-wait'])
  assert.equal(waiting.exchanger.connections.all, 1)
})

test('a server that closes at QUIT is told as one that did', async (t) => {
  const { session } = await visit(t, { quit: 'close' })
  assert.ok(session.quit.kind === 'failed')
  assert.deepEqual([session.quit.fault.step, session.quit.fault.kind], ['quit', 'closed'])
})

test('a server that refuses EHLO is asked with HELO', async (t) => {
  const { session } = await visit(t, { ehlo: '502 5.5.1 what?' })
  assert.deepEqual([session.ehlo, session.helo].map(code), [502, 250])
  assert.deepEqual(codes(session), [250, 550, 550])
})

test('greylisting of one recipient leaves the others their answer; 421 ends the session', async (t) => {
  const grey = await visit(t, { rcpt: (path) => (path.startsWith('post') ? '451 4.7.1 come back later' : undefined) })
  assert.deepEqual(codes(grey.session), [451, 550, 550])
  const ended = await visit(t, { rcpt: (path) => (path.startsWith('post') ? '421 4.7.0 enough' : undefined) })
  assert.deepEqual(codes(ended.session), [421, 'told-to-wait', 'told-to-wait'])
})

test('other versions, no server name and the other kind of key are asked for on connections of their own, one at a time', async (t) => {
  const rsa = makeCertificate({ name: 'mx.example.test', issuer: middle, key: 'rsa' })
  const { session, exchanger } = await visit(
    t,
    {
      chain,
      secondChain: [rsa, middle],
      tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.2', ciphers: 'ALL:@SECLEVEL=0' },
    },
    { extras: ['without-sni', 'tls-1.2', 'old-tls', 'other-key'], recipients: [], limits: { pauseMs: 30 } },
  )
  const told = session.extras.map(({ purpose, handshake }) =>
    handshake.kind === 'secured'
      ? `${purpose} ${handshake.version} ${handshake.leafKey}`
      : `${purpose} ${handshake.kind}`,
  )
  assert.deepEqual(told, [
    'without-sni TLSv1.2 ecdsa',
    'tls-1.2 TLSv1.2 ecdsa',
    'old-tls TLSv1.1 ecdsa',
    'other-key TLSv1.2 rsa',
  ])
  assert.deepEqual(exchanger.connections, { all: 5, atOnce: 1 })
})

test('a server that takes new versions alone, and insists on a server name', async (t) => {
  const { session } = await visit(
    t,
    { chain, needsServerName: true, tls: { minVersion: 'TLSv1.3' } },
    { extras: ['without-sni', 'tls-1.2', 'old-tls'], recipients: [] },
  )
  const [nameless, tls12, old] = session.extras
  assert.ok(nameless?.handshake.kind === 'failed')
  assert.ok(session.handshake.kind === 'secured')
  assert.ok(tls12?.handshake.kind === 'failed' && tls12.handshake.side === 'peer')
  assert.ok(old?.handshake.kind === 'failed')
})

test('a handshake that fails is tried without a server name and with old versions, to name the cause', async (t) => {
  const { session } = await visit(
    t,
    { chain, tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } },
    { recipients: [] },
  )
  assert.ok(session.handshake.kind === 'failed' && session.handshake.side !== 'timeout')
  assert.deepEqual(
    session.extras.map(({ purpose, handshake }) => `${purpose} ${handshake.kind}`),
    ['without-sni failed', 'old-tls secured'],
  )
  assert.equal(code(session.ehloInTls), 'not-reached')
})

test('a command in one packet with STARTTLS: answered under TLS, or thrown away', async (t) => {
  const faulty = await visit(t, { chain, keepsInput: true }, { injects: true, recipients: [] })
  assert.deepEqual(faulty.session.injected, { kind: 'answered' })
  const good = await visit(t, { chain }, { injects: true, recipients: [], limits: { commandMs: 200 } })
  assert.deepEqual(good.session.injected, { kind: 'ignored' })
})

test('hostile greetings are bounded in time and memory', async (t) => {
  const drip = await visit(
    t,
    {
      greeting: (socket) => {
        const timer = setInterval(() => socket.write('2'), 20)
        socket.on('close', () => clearInterval(timer))
      },
    },
    { limits: { greetingMs: 300 } },
  )
  assert.equal(code(drip.session.greeting), 'timeout')
  assert.ok(drip.session.tookMs < 20_000)
  const flood = await visit(t, {
    greeting: (socket) => {
      const lines = '220-more and more\r\n'.repeat(10_000)
      const pour = () => {
        while (!socket.destroyed && socket.write(lines));
      }
      socket.on('drain', pour)
      pour()
    },
  })
  assert.equal(code(flood.session.greeting), 'garbage')
})

test('nobody there, and an address that is not public', async (t) => {
  const { exchanger } = await visit(t, {})
  await exchanger.stop()
  const address = parseIp(exchanger.address)
  assert.ok(address)
  const options = {
    address,
    port: exchanger.port,
    hello: 'prober.test',
    serverName: undefined,
    recipients,
    extras: [],
    injects: false,
  }
  const deps = { clock: steadyClock, door: systemDoor, mayConnect: () => true }
  const refused = await probe({ ...options, isPrivate: true }, deps)
  assert.ok(refused.connect.kind === 'failed' && refused.connect.fault.kind === 'refused')
  assert.equal(code(refused.greeting), 'not-reached')
  assert.equal((await probe({ ...options, isPrivate: false }, deps)).connect.kind, 'forbidden')
  assert.equal(
    (await probe({ ...options, isPrivate: true }, { ...deps, mayConnect: () => false })).connect.kind,
    'not-said',
  )
})

test('an address that would be two commands is a bug, and is not sent', async (t) => {
  const bad = [{ purpose: 'known', address: 'a@b>\r\nDATA', sender: null }] as const
  await assert.rejects(visit(t, {}, { recipients: bad }), TypeError)
})
