import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CleanWords, labPolicy, startCleanDomain } from '../../../test/lab/clean-domain.ts'
import { labHost } from '../../../test/lab/names.ts'
import { makeCertificate } from '../../../test/unit/certificate-maker.ts'
import { told } from '../../../test/unit/outcomes.ts'
import type { Said } from '../../smtp/probe-facts.ts'
import { matchesHost, readCertificate } from '../certificate.ts'
import type { Facts } from '../facts.ts'
import { everyAddress } from '../read-facts.ts'
import { smtpNameInvalid } from '../rules/smtp/name-invalid.ts'

const sessions = (facts: Facts) =>
  everyAddress(facts).map(({ at }) => (at.smtp.kind === 'probed' ? at.smtp.sessions[0] : assert.fail(at.smtp.why)))

const code = (said: Said | undefined) =>
  said?.kind === 'reply' ? said.reply.code : said?.kind === 'failed' ? said.fault.kind : said?.reason

const answerTo = (facts: Facts, purpose: string) =>
  sessions(facts).map(({ recipients }) => code(recipients.find((one) => one.purpose === purpose)?.said))

test('what servers answer to recipients is told, each by itself', async (t) => {
  const lab = await startCleanDomain(t, {
    exchangers: [
      { rcpt: (path) => (path.startsWith('postmaster') ? '550 5.1.1 no postmaster here' : undefined) },
      { rcpt: () => '250 2.1.5 anything' },
    ],
  })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.deepEqual(answerTo(facts, 'postmaster'), [550, 250])
  assert.deepEqual(answerTo(facts, 'unknown'), [550, 250])
  assert.deepEqual(answerTo(facts, 'foreign'), [550, 250])
  const [first] = sessions(facts)
  const foreign = first?.recipients.filter(({ purpose }) => purpose.startsWith('foreign')).map(({ address }) => address)
  assert.deepEqual(foreign, [
    'relay-test@prober.lab',
    'relay-test%prober.lab@example.lab',
    '"relay-test@prober.lab"@example.lab',
    'prober.lab!relay-test@example.lab',
    '@example.lab:relay-test@prober.lab',
  ])
})

test('a polite probe asks for nobody unknown, for no relaying, and connects once', async (t) => {
  const lab = await startCleanDomain(t, { options: { probe: 'polite' } })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.deepEqual(
    sessions(facts).map(({ recipients }) => recipients.map(({ purpose }) => purpose)),
    [
      ['postmaster', 'bare-postmaster', 'abuse'],
      ['postmaster', 'bare-postmaster', 'abuse'],
    ],
  )
  assert.deepEqual(
    lab.exchangers.map((one) => one?.connections.all),
    [1, 1],
  )
  assert.equal(facts.spent.connections, 2)
})

test('servers that many domains share are asked politely, whatever was said', async (t) => {
  const lab = await startCleanDomain(t, { deps: { isShared: (host) => host === 'mx2.example.lab' } })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.deepEqual(
    everyAddress(facts).map(({ at }) => at.smtp.kind === 'probed' && at.smtp.probe),
    ['full', 'polite'],
  )
})

test('with no SMTP wanted nobody is connected to', async (t) => {
  const lab = await startCleanDomain(t, { options: { probe: 'none' } })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.deepEqual(
    everyAddress(facts).map(({ at }) => at.smtp.kind === 'not-examined' && at.smtp.reason),
    ['not-wanted', 'not-wanted'],
  )
  assert.deepEqual(
    lab.exchangers.map((one) => one?.connections.all),
    [0, 0],
  )
})

test('a dead first choice: its failure is told, and port 25 counts as open where another answers', async (t) => {
  const lab = await startCleanDomain(t, { exchangers: [null] })
  const facts = await lab.examine('example.lab', ['smtp'])
  const [first, second] = sessions(facts)
  assert.ok(first?.connect.kind === 'failed' && first.connect.fault.kind === 'refused')
  assert.equal(second?.connect.kind, 'connected')
  assert.equal(facts.vantage.port25, 'open')
})

test('greetings that refuse, defer or do not come', async (t) => {
  const lab = await startCleanDomain(t, {
    exchangers: [{ greeting: '554 5.7.1 go away' }, { greeting: '421 4.7.0 later' }],
  })
  const facts = await lab.examine('example.lab', ['smtp'])
  assert.deepEqual(
    sessions(facts).map(({ greeting, ehlo }) => [code(greeting), code(ehlo)]),
    [
      [554, 'not-reached'],
      [421, 'told-to-wait'],
    ],
  )
  const mute = await startCleanDomain(t, { exchangers: [{ greeting: 'silence' }] })
  const [first] = sessions(await mute.examine('example.lab', ['smtp']))
  assert.equal(code(first?.greeting), 'timeout')
})

test('greylisting: with patience the host is asked once more, and both sessions are told', async (t) => {
  const heard = new Map<string, number>()
  const greylists = (path: string) => {
    heard.set(path, (heard.get(path) ?? 0) + 1)
    return heard.get(path) === 1 ? '451 4.7.1 come back later' : '250 2.1.5 ok'
  }
  const lab = await startCleanDomain(t, {
    exchangers: [{ rcpt: greylists }],
    options: { probe: 'polite', retryAfterMs: 20 },
  })
  const [first, second] = everyAddress(await lab.examine('example.lab', ['smtp'])).map(({ at }) => at.smtp)
  assert.ok(first?.kind === 'probed' && second?.kind === 'probed')
  const codes = first.sessions.map(({ recipients }) => recipients.map(({ said }) => code(said)))
  assert.deepEqual(codes, [
    [451, 451, 451],
    [250, 250, 250],
  ])
  assert.equal(second.sessions.length, 1)
})

test('a first greeting of 421: the names of the later session are looked up, which the rules judge', async (t) => {
  let greeted = 0
  const lab = await startCleanDomain(t, {
    exchangers: [
      {
        greeting: (socket) =>
          greeted++ === 0
            ? socket.end('421 busy.example.lab later\r\n')
            : socket.write('220 mx1.example.lab ESMTP\r\n'),
      },
    ],
    options: { probe: 'polite', retryAfterMs: 20 },
  })
  const facts = await lab.examine('example.lab', ['smtp'])
  const { ownNames } = everyAddress(facts)[0]?.at ?? assert.fail()
  assert.deepEqual('kind' in ownNames ? ownNames.why : ownNames.map(({ name, a }) => [name, a.kind]), [
    ['mx1.example.lab', 'answer'],
  ])
  assert.deepEqual(told(smtpNameInvalid, facts), [])
})

test('addresses that not everybody reaches are not connected to, and not asked', async (t) => {
  const lab = await startCleanDomain(t, { options: { isPrivate: false } })
  const facts = await lab.examine()
  for (const { at } of everyAddress(facts)) {
    assert.match(at.notPublic ?? '', /loopback/)
    assert.ok(at.smtp.kind === 'not-examined' && at.smtp.reason === 'not-public')
  }
  assert.ok(facts.mtaSts.https.kind === 'not-examined' && facts.mtaSts.https.reason === 'not-public')
  assert.deepEqual([lab.internet.asked, facts.spent.connections], [[], 0])
})

test('two domains with the same exchangers: one session each within a minute, and one at a time', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: {
        ...zone.records,
        'other.example.lab': {
          MX: [
            [10, 'mx1.example.lab'],
            [20, 'mx2.example.lab'],
          ],
        },
      },
    }),
    options: { probe: 'polite' },
  })
  const both = await Promise.all([lab.examine('example.lab', ['smtp']), lab.examine('other.example.lab', ['smtp'])])
  assert.deepEqual(
    lab.exchangers.map((one) => one?.connections),
    [
      { all: 1, atOnce: 1 },
      { all: 1, atOnce: 1 },
    ],
  )
  const shared = both.map((facts) => everyAddress(facts).map(({ at }) => at.smtp.kind === 'probed' && at.smtp.isShared))
  assert.deepEqual(
    shared.map((one) => one.filter(Boolean).length).reduce((sum, count) => sum + count),
    2,
  )
})

test('a polite session does not stand in for a full one, a full one does for a polite one', async (t) => {
  const mx = { MX: [[10, 'mx1.example.lab']] } as const
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: { ...zone.records, 'own.example.lab': mx, 'customer.example.lab': mx },
    }),
  })
  const probed = async (domain: string, probe: 'full' | 'polite') => {
    const facts = await lab.collector.collect(labHost(domain), new Set(['smtp']), { probe })
    return everyAddress(facts).map(({ at: { smtp } }) => smtp.kind === 'probed' && [smtp.probe, smtp.isShared])
  }
  assert.deepEqual(await probed('customer.example.lab', 'polite'), [['polite', false]])
  assert.deepEqual(await probed('own.example.lab', 'full'), [['full', false]])
  assert.deepEqual(await probed('customer.example.lab', 'polite'), [['full', true]])
})

test('many domains at once, with the same exchangers and servers: all come to their end, and what they share is asked once', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `d${index}.example.lab`)
  const mx = {
    MX: [
      [10, 'mx1.example.lab'],
      [20, 'mx2.example.lab'],
    ],
  } as const
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({ ...zone, records: { ...zone.records, ...Object.fromEntries(names.map((name) => [name, mx])) } }),
    options: { probe: 'polite', hostsAtOnce: 1 },
  })
  const all = await Promise.all(names.map((name) => lab.examine(name)))
  for (const facts of all) {
    assert.equal(facts.exchangers.length, 2)
    assert.ok(everyAddress(facts).every(({ at }) => at.smtp.kind === 'probed'))
  }
  assert.deepEqual(
    lab.exchangers.map((one) => one?.connections),
    [
      { all: 1, atOnce: 1 },
      { all: 1, atOnce: 1 },
    ],
  )
  assert.equal(lab.internet.resolved.filter((question) => question === 'udp A mx1.example.lab.').length, 1)
})

test('the budgets of one domain are kept, and what is left over is told', async (t) => {
  const lab = await startCleanDomain(t, { options: { maxConnections: 3, maxQueries: 12 } })
  const facts = await lab.examine()
  assert.equal(facts.spent.connections, 3)
  assert.equal(facts.spent.queries, 12)
  assert.ok(
    lab.internet.resolved.length + lab.internet.asked.length <= 12 + 3,
    'what the vantage point needs comes on top',
  )
  const text = JSON.stringify(facts)
  assert.match(text, /"reason":"budget-spent"/)
})

const policyOf = async (
  t: Parameters<typeof startCleanDomain>[0],
  policy: CleanWords['policy'],
  options: CleanWords['options'] = {},
) => {
  const lab = await startCleanDomain(t, { policy: policy ?? {}, options })
  return { lab, https: (await lab.examine('example.lab', ['mta-sts'])).mtaSts.https }
}

test('a policy that redirects is not followed', async (t) => {
  const { lab, https } = await policyOf(t, {
    status: '301 Moved',
    headers: ['Location: https://elsewhere.lab/'],
  })
  assert.ok(https.kind === 'response')
  assert.equal(https.status, 301)
  assert.match(https.location ?? '', /^https:\/\/elsewhere\.lab\//)
  assert.equal(lab.policyHost.requests.length, 1)
  const escapes = await policyOf(t, { headers: ['Location: https://elsewhere.lab/\u001b[2J'] })
  assert.ok(escapes.https.kind === 'failed' && escapes.https.step === 'response')
})

test('a policy as a web page, one that is not there, one that says nothing', async (t) => {
  const page = await policyOf(t, { headers: ['Content-Type: text/html'], policy: '<html>' })
  assert.ok(page.https.kind === 'response' && page.https.contentType === 'text/html')
  const gone = await policyOf(t, { status: '404 Not Found' })
  assert.ok(gone.https.kind === 'response' && gone.https.status === 404)
  const mute = await policyOf(t, { answer: (socket) => socket.destroy() })
  assert.ok(mute.https.kind === 'failed' && mute.https.step === 'response')
  const noHttp = await policyOf(t, { answer: (socket) => socket.end('220 mail.example.lab ESMTP\r\n') })
  assert.ok(noHttp.https.kind === 'failed' && noHttp.https.step === 'response')
})

test('a policy of a gigabyte is cut at 64 KiB, and endless header fields end it', async (t) => {
  const pour = (head: string, more: string): CleanWords['policy'] => ({
    answer: (socket) => {
      socket.write(head)
      const go = () => {
        while (!socket.destroyed && socket.write(more));
      }
      socket.on('drain', go)
      go()
    },
  })
  const huge = await policyOf(
    t,
    pour('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n', `${labPolicy}\n`.repeat(500)),
  )
  assert.ok(huge.https.kind === 'response' && huge.https.bodyEnd === 'too-long')
  assert.equal(huge.https.body.length, 64 * 1024 + 1)
  const fields = await policyOf(t, pour('HTTP/1.1 200 OK\r\n', 'X-More: and more and more\r\n'.repeat(500)))
  assert.ok(fields.https.kind === 'failed' && fields.https.step === 'response')
})

test('a policy that comes one octet at a time ends with the time of the domain', async (t) => {
  const drip: CleanWords['policy'] = {
    answer: (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n')
      const timer = setInterval(() => socket.write('v'), 20)
      socket.on('close', () => clearInterval(timer))
    },
  }
  const { https } = await policyOf(t, drip, { timeoutMs: 1_500 })
  assert.ok(https.kind === 'response' && https.bodyEnd === 'too-slow')
  assert.ok(https.body.length > 0)
})

test('the certificate of a policy host is shown, whatever is wrong with it', async (t) => {
  const stranger = makeCertificate({ name: 'web.provider.lab' })
  const { https } = await policyOf(t, { chain: [stranger] })
  assert.ok(https.kind === 'response' && https.handshake.kind === 'secured')
  const leaf = https.handshake.chain[0] && readCertificate(https.handshake.chain[0])
  assert.deepEqual(leaf?.dnsNames, ['web.provider.lab'])
  assert.ok(!leaf.dnsNames.some((name) => matchesHost(name, 'mta-sts.example.lab' as never)))
})

test('without a record no policy is fetched', async (t) => {
  const lab = await startCleanDomain(t, {
    zone: (zone) => ({
      ...zone,
      records: Object.fromEntries(Object.entries(zone.records).filter(([name]) => name !== '_mta-sts.example.lab')),
    }),
  })
  const { https } = (await lab.examine('example.lab', ['mta-sts'])).mtaSts
  assert.ok(https.kind === 'not-examined' && https.reason === 'not-applicable')
  assert.deepEqual(lab.policyHost.requests, [])
})
