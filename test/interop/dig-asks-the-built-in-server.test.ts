/**
 * The built-in server asked by `dig` and `kdig`: the tests of RFC 8906 §8 line by line, and what each kind of answer looks like to others'
 * eyes. Needs Debian's bind9-dnsutils and knot-dnsutils.
 */
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { type LabAuthority, startAuthority } from '../lab/authority.ts'
import { zoneOf } from '../lab/zone-lines.ts'
import { runWell } from './harness/program.ts'

const many = Array.from({ length: 40 }, (_, index) => `many MX ${index} exchanger-number-${index}`).join('\n')
const zone = zoneOf(
  'example.test.',
  `@ SOA ns1 hostmaster 5 14400 3600 604800 300
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 Mx1
mx1 A 192.0.2.1
mx1 AAAA 2001:db8::1
x._domainkey TXT "v=DKIM1"
*.wild MX 10 mx1
alias CNAME mx1
sub NS ns.sub
ns.sub A 192.0.2.99
sub DS 1 8 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
${many}`,
)

interface Shown {
  readonly text: string
  readonly status: string | undefined
  readonly flags: readonly string[]
  /** The counts of the header: question, answer, authority, additional. */
  readonly counts: readonly number[]
}

async function dig(server: LabAuthority, ...args: string[]): Promise<Shown> {
  const own = [`@${server.address}`, '-p', String(server.port), '+time=30', '+tries=1', '+qr', ...args]
  const { stdout } = await runWell('dig', own)
  // With +qr the question is shown too; what came back is behind it.
  const text = stdout.slice(stdout.indexOf(';; Got answer:'))
  const header = /;; flags:([^;]*);.*QUERY: (\d+), ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)/.exec(text)
  return {
    text,
    status: /status: (\w+)/.exec(text)?.[1],
    flags: header?.[1]?.trim().split(' ') ?? [],
    counts: header?.slice(2).map(Number) ?? [],
  }
}

interface Expected {
  readonly status: string
  readonly flags: readonly string[]
  readonly answers: number
  readonly hasOpt: boolean
}

const good: Expected = { status: 'NOERROR', flags: ['qr', 'aa'], answers: 1, hasOpt: false }
const badVersion: Expected = { status: 'BADVERS', flags: ['qr'], answers: 0, hasOpt: true }
const soa = ['soa', 'example.test']

const rfc8906: readonly (readonly [string, readonly string[], Expected])[] = [
  ['8.1.1', ['+noedns', '+noad', '+norec', ...soa], good],
  ['8.1.2', ['+noedns', '+noad', '+norec', 'type1000', 'example.test'], { ...good, answers: 0 }],
  ['8.1.3.1', ['+noedns', '+noad', '+norec', '+cd', ...soa], { ...good, flags: ['qr', 'aa', 'cd'] }],
  ['8.1.3.2', ['+noedns', '+norec', '+ad', ...soa], good],
  ['8.1.3.3', ['+noedns', '+noad', '+norec', '+zflag', ...soa], good],
  ['8.1.3.4', ['+noedns', '+noad', '+rec', ...soa], { ...good, flags: ['qr', 'aa', 'rd'] }],
  [
    '8.1.4',
    ['+noedns', '+noad', '+opcode=15', '+norec', '+header-only'],
    { ...good, status: 'NOTIMP', flags: ['qr'], answers: 0 },
  ],
  ['8.1.5', ['+noedns', '+noad', '+norec', '+tcp', ...soa], good],
  ['8.2.1', ['+nocookie', '+edns=0', '+noad', '+norec', ...soa], { ...good, hasOpt: true }],
  ['8.2.2', ['+nocookie', '+edns=1', '+noednsneg', '+noad', '+norec', ...soa], badVersion],
  ['8.2.3', ['+nocookie', '+edns=0', '+noad', '+norec', '+ednsopt=100', ...soa], { ...good, hasOpt: true }],
  ['8.2.4', ['+nocookie', '+edns=0', '+noad', '+norec', '+ednsflags=0x40', ...soa], { ...good, hasOpt: true }],
  ['8.2.5', ['+nocookie', '+edns=1', '+noednsneg', '+noad', '+norec', '+ednsflags=0x40', ...soa], badVersion],
  ['8.2.6', ['+nocookie', '+edns=1', '+noednsneg', '+noad', '+norec', '+ednsopt=100', ...soa], badVersion],
  [
    '8.2.7',
    ['+norec', '+dnssec', '+bufsize=512', '+ignore', 'dnskey', 'example.test'],
    { ...good, answers: 0, hasOpt: true },
  ],
  ['8.2.8', ['+nocookie', '+edns=0', '+noad', '+norec', '+dnssec', ...soa], { ...good, hasOpt: true }],
  ['8.2.9', ['+nocookie', '+edns=1', '+noednsneg', '+noad', '+norec', '+dnssec', ...soa], badVersion],
]

test('RFC 8906 §8, every test', async (t) => {
  const server = await startAuthority(t, [zone])
  for (const [section, args, expected] of rfc8906) {
    const { status, flags, counts, text } = await dig(server, ...args)
    const seen = { status, flags, answers: counts[1], hasOpt: text.includes('OPT PSEUDOSECTION') }
    assert.deepEqual(seen, expected, `§${section}: ${text}`)
    assert.equal(text.includes('MBZ'), false, section)
    assert.equal(text.includes('OPT=100'), false, section)
    if (expected.hasOpt) assert.match(text, /EDNS: version: 0,/, section)
  }
})

test('each kind of answer', async (t) => {
  const server = await startAuthority(t, [zone])
  const plain = ['+norec', '+noedns']
  const mx = await dig(server, ...plain, 'ExAmPlE.TeSt', 'MX')
  assert.match(mx.text, /^ExAmPlE\.TeSt\.\s+3600\s+IN\s+MX\s+10 Mx1\.example\.test\.$/m)
  assert.deepEqual(mx.counts, [1, 1, 0, 2])
  const kinds: readonly (readonly [readonly string[], string, readonly string[], readonly number[]])[] = [
    [['nothing.example.test', 'MX'], 'NXDOMAIN', ['qr', 'aa'], [1, 0, 1, 0]],
    [['_domainkey.example.test', 'TXT'], 'NOERROR', ['qr', 'aa'], [1, 0, 1, 0]],
    [['a.b.wild.example.test', 'MX'], 'NOERROR', ['qr', 'aa'], [1, 1, 0, 2]],
    [['alias.example.test', 'A'], 'NOERROR', ['qr', 'aa'], [1, 2, 0, 0]],
    [['www.sub.example.test', 'A'], 'NOERROR', ['qr'], [1, 0, 1, 1]],
    [['sub.example.test', 'DS'], 'NOERROR', ['qr', 'aa'], [1, 1, 0, 0]],
    [['elsewhere.test', 'A'], 'REFUSED', ['qr'], [1, 0, 0, 0]],
    [['version.bind', 'CH', 'TXT'], 'REFUSED', ['qr'], [1, 0, 0, 0]],
    [['many.example.test', 'MX', '+ignore'], 'NOERROR', ['qr', 'aa', 'tc'], [1, 0, 0, 0]],
    [['many.example.test', 'MX'], 'NOERROR', ['qr', 'aa'], [1, 40, 0, 0]],
    [['example.test', 'ANY', '+notcp'], 'NOERROR', ['qr', 'aa'], [1, 1, 0, 0]],
  ]
  for (const [args, status, flags, counts] of kinds) {
    const shown = await dig(server, ...plain, ...args)
    assert.deepEqual(
      [shown.status, shown.flags, shown.counts],
      [status, flags, counts],
      `${args.join(' ')}: ${shown.text}`,
    )
  }
  assert.match((await dig(server, ...plain, 'nothing.example.test', 'MX')).text, /^example\.test\.\s+300\s+IN\s+SOA/m)
  assert.match((await dig(server, ...plain, 'example.test', 'ANY', '+notcp')).text, /HINFO\s+"RFC8482" ""/)
})

test('cookies as BIND and Knot check them', async (t) => {
  const server = await startAuthority(t, [zone], { cookies: { policy: 'require', secrets: [] } })
  // dig asks again by itself when it hears BADCOOKIE.
  const first = await dig(server, '+norec', '+badcookie', 'example.test', 'MX')
  assert.match(first.text, /COOKIE: [0-9a-f]{48} \(good\)/)
  const patient = await dig(server, '+norec', '+nobadcookie', 'example.test', 'MX')
  assert.equal(patient.status, 'BADCOOKIE')
  const at = [`@${server.address}`, '-p', String(server.port)]
  const { stdout } = await runWell('kdig', [...at, '+cookie', '+norec', '+badcookie', 'example.test', 'MX'])
  assert.match(stdout, /status: NOERROR/)
})

test('many questions on one connection, as kdig asks them', async (t) => {
  const server = await startAuthority(t, [zone])
  const at = [`@${server.address}`, '-p', String(server.port), '+tcp', '+keepopen', '+norec', '+short']
  const names = Array.from({ length: 20 }, () => ['example.test', 'MX']).flat()
  const { stdout } = await runWell('kdig', [...at, ...names])
  assert.equal(stdout.trim().split('\n').length, 20)
})

test('a thousand idle connections, and one that asks', async (t) => {
  const tcp = { connections: 2_000, connectionsPerClient: 2_000, questionsPerSecond: 0, idleMs: 30_000 }
  const server = await startAuthority(t, [zone], { tcp })
  const sockets = await Promise.all(
    Array.from(
      { length: 1_000 },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect({ host: server.address, port: server.port }, () => resolve(socket))
          socket.once('error', reject)
        }),
    ),
  )
  // Each has said the beginning of something.
  for (const socket of sockets) socket.write(Buffer.from([0, 200, 1, 2, 3]))
  const { status } = await dig(server, '+tcp', '+norec', 'example.test', 'MX')
  assert.equal(status, 'NOERROR')
  assert.ok(server.authority.statistics.tcpConnections >= 1_000)
  for (const socket of sockets) socket.destroy()
})
