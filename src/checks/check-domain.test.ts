import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labHost, startCleanDomain } from '../../test/lab/clean-domain.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { makeCertificate } from '../../test/unit/certificate-maker.ts'
import { systemDoor } from '../base/door.ts'
import { systemRandom } from '../base/random.ts'
import { checkDomain } from './check-domain.ts'
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
