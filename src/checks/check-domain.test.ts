import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { startCleanDomain } from '../../test/lab/clean-domain.ts'
import { createFastClock, sleepOn, steadyClock } from '../../test/lab/fast-clock.ts'
import { labHost } from '../../test/lab/names.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { systemDoor } from '../base/door.ts'
import { systemRandom } from '../base/random.ts'
import { checkDomain } from './check-domain.ts'
import { smtpGreetingRefuses, smtpGreetingSlow } from './rules/smtp/greeting.ts'
import { smtpNoStarttls } from './rules/smtp/starttls.ts'
import { tlsKeyWeak } from './rules/tls/tls-key-weak.ts'

test('a domain is looked at and judged in one call, and what no rule needs is not asked', async (t) => {
  const weak = makeCertificate({ name: 'mx1.example.lab', key: 'rsa-1024' })
  const lab = await startCleanDomain(t, { exchangers: [{ chain: [weak] }] })
  const { facts, outcomes } = await checkDomain(
    labHost('example.lab'),
    {
      resolvers: [lab.internet.resolver],
      rootHints: lab.internet.rootHints,
      dnsPort: lab.internet.port,
      smtpPort: lab.exchangers[0]?.port ?? 0,
      isPrivate: true,
      helo: 'prober.lab',
      validation: undefined,
      rules: [tlsKeyWeak],
      roots: [lab.places.root.pem],
    },
    { clock: steadyClock, random: systemRandom, door: systemDoor },
  )
  assert.deepEqual(
    outcomes.map(({ kind, id, subject }) => [kind, id, subject]),
    [['finding', 'tls-key-weak', { kind: 'address', exchanger: 'mx1.example.lab', address: lab.places.mx1 }]],
  )
  assert.deepEqual(facts.zones, [])
  assert.equal(facts.mtaSts.https.kind, 'not-examined')
  assert.deepEqual(lab.internet.asked, [])
  assert.deepEqual(lab.policyHost.requests, [])
})

test('exchangers of a provider in the catalogue are asked politely, those of the owner as he said', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: {
        ...zone.records,
        'example.lab': {
          MX: [
            [1, 'smtp.google.com'],
            [20, 'mx2.example.lab'],
          ],
        },
      },
    }),
    zones: ({ mx1 }) => ({
      com: { servers: [{ name: 'a.nic.lab' }], records: { 'smtp.google.com': { A: [mx1] } } },
    }),
  })
  const { facts } = await checkDomain(
    labHost('example.lab'),
    {
      resolvers: [lab.internet.resolver],
      smtpPort: lab.exchangers[0]?.port ?? 0,
      isPrivate: true,
      probe: 'full',
      helo: 'prober.lab',
      validation: undefined,
      rules: [tlsKeyWeak],
      probeLimits: { pauseMs: 0 },
    },
    { clock: steadyClock, random: systemRandom, door: systemDoor },
  )
  const asked = facts.exchangers.map(({ host, addresses }) => {
    const smtp = addresses[0]?.smtp
    return [host, smtp?.kind === 'probed' ? smtp.probe : smtp?.kind]
  })
  assert.deepEqual(asked, [
    ['smtp.google.com', 'polite'],
    ['mx2.example.lab', 'full'],
  ])
  assert.ok(!lab.exchangers[0]?.commands.some((line) => line.includes('prober.lab>') || line.includes('waypost-')))
})

test('tarpits: one that greets after 40 seconds, and one that outlasts us, are slow and have no other fault', async (t) => {
  const clock = createFastClock(40)
  const after = (waitMs: number, name: string) => (socket: Socket) => {
    void sleepOn(clock, waitMs).then(() => socket.write(`220 ${name} ESMTP\r\n`))
  }
  const lab = await startCleanDomain(t, {
    exchangers: [
      { greeting: after(40_000, 'mx1.example.lab') },
      { greeting: after(400_000, 'mx2.example.lab'), ehlo: '250 mx2.example.lab' },
    ],
  })
  const { facts, outcomes } = await checkDomain(
    labHost('example.lab'),
    {
      resolvers: [lab.internet.resolver],
      smtpPort: lab.exchangers[0]?.port ?? 0,
      isPrivate: true,
      helo: 'prober.lab',
      validation: undefined,
      knownExchanger: undefined,
      dnsTimeoutMs: 60_000,
      timeoutMs: 600_000,
      rules: [smtpGreetingSlow, smtpGreetingRefuses, smtpNoStarttls],
    },
    { clock, random: systemRandom, door: systemDoor },
  )
  const told = (id: string, kind: string) =>
    outcomes.flatMap((one) => {
      if (one.id !== id || one.kind !== kind || one.subject.kind !== 'address') return []
      return [[one.subject.exchanger, one.kind === 'finding' ? one.severity : one.reason]]
    })
  assert.deepEqual(told('smtp-greeting-slow', 'finding').sort(), [
    ['mx1.example.lab', 'warning'],
    ['mx2.example.lab', 'warning'],
  ])
  assert.equal(outcomes.filter(({ kind }) => kind === 'finding').length, 2)
  assert.deepEqual(told('smtp-no-starttls', 'not-checked'), [['mx2.example.lab', 'no-answer']])
  // Its greeting is waited for as long as a check is willing to, and no longer.
  const [first, second] = facts.exchangers.map(({ addresses: [at] }) => at?.smtp)
  assert.ok(first?.kind === 'probed' && second?.kind === 'probed')
  assert.ok((first.sessions[0]?.tookMs ?? 0) >= 40_000)
  assert.ok((second.sessions[0]?.tookMs ?? 0) < 130_000)
})
