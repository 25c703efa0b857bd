import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseName } from '../../dns/name.ts'
import { catalogue } from './catalogue.ts'
import type { Exchanger } from './provider.ts'
import { type Recognised, recognise } from './recognise.ts'

/** `10 mx.example.com` as an owner might write it. */
function mx(text: string): Exchanger {
  const [preference, host] = text.split(' ')
  const parsed = parseName(host ?? '')
  return parsed.kind === 'name' ? { preference: Number(preference), host: parsed.name } : assert.fail(parsed.why)
}

function recognised(...records: string[]): Recognised {
  const found = recognise(records.map(mx))
  return found.kind === 'recognised' ? found : assert.fail('not recognised')
}

const googleFive = [
  '1 aspmx.l.google.com',
  '5 alt1.aspmx.l.google.com',
  '5 alt2.aspmx.l.google.com',
  '10 alt3.aspmx.l.google.com',
  '10 alt4.aspmx.l.google.com',
]

test('nobody we know', () => {
  assert.deepEqual(recognise([]), { kind: 'unknown' })
  assert.deepEqual(recognise([mx('10 mx.example.com'), mx('20 google.com')]), { kind: 'unknown' })
})

test('one record of Google is a whole set; its five are another, and stay', () => {
  const one = recognised('1 SMTP.Google.com.')
  assert.deepEqual([one.form?.id, one.completeness, one.parameters], ['one-record', 'complete', {}])
  const five = recognised(...googleFive)
  assert.deepEqual([five.form?.id, five.completeness, five.obsolete], ['five-records', 'complete', []])
  assert.deepEqual(five.parameters, { form: 'five-records' })
  assert.deepEqual(
    five.spf.map(({ text }) => text),
    ['include:_spf.google.com'],
  )
})

test('what is missing is named, with its preference', () => {
  const found = recognised(...googleFive.slice(0, 4))
  assert.equal(found.completeness, 'partial')
  assert.deepEqual(found.missing, [{ preference: 10, host: 'alt4.aspmx.l.google.com' }])
})

test('hosts of another form beside a form make the set mixed, and the obsolete ones are named', () => {
  const both = recognised(...googleFive, '1 smtp.google.com')
  assert.deepEqual([both.completeness, both.otherForms, both.obsolete], ['mixed', ['smtp.google.com'], []])
  const old = recognised(...googleFive, '20 aspmx2.googlemail.com')
  assert.deepEqual([old.completeness, old.form?.id], ['mixed', 'five-records'])
  assert.deepEqual(old.obsolete, ['aspmx2.googlemail.com'])
})

test('a host that once proved ownership is no exchanger', () => {
  const found = recognised('1 smtp.google.com', '15 abcdefgh.mx-verification.google.com')
  assert.deepEqual([found.completeness, found.leftovers], ['complete', ['abcdefgh.mx-verification.google.com']])
  const behind = recognised('0 abcdefgh.mx-verification.google.com', '10 mx1.mail.hostpoint.ch')
  assert.equal(behind.provider.id, 'hostpoint')
})

test('Microsoft: the host tells the form, a domain with a dash included; both beside each other are a move', () => {
  const old = recognised('0 lighthouse-example-de02e.mail.protection.outlook.com')
  assert.deepEqual([old.provider.id, old.form?.id], ['microsoft-365', 'protection-outlook'])
  const signed = recognised('0 contoso-com.n-v1.mx.microsoft')
  assert.deepEqual([signed.form?.id, signed.parameters], ['mx-microsoft', { host: 'contoso-com.n-v1.mx.microsoft' }])
  const move = recognised('0 contoso-com.mail.protection.outlook.com', '20 contoso-com.n-v1.mx.microsoft')
  assert.deepEqual([move.form?.id, move.completeness], ['mx-microsoft', 'mixed'])
  assert.deepEqual(move.otherForms, ['contoso-com.mail.protection.outlook.com'])
})

test('two hosts of one account belong together, those of two accounts do not', () => {
  const pair = recognised('10 d123a.ess.barracudanetworks.com', '20 d123b.ess.barracudanetworks.com')
  assert.equal(pair.completeness, 'complete')
  const torn = recognised('10 mxa-0012ab34.gslb.pphosted.com', '10 mxb-99999999.gslb.pphosted.com')
  assert.equal(torn.completeness, 'mixed')
  assert.deepEqual(torn.missing, [{ preference: 10, host: 'mxb-0012ab34.gslb.pphosted.com' }])
})

test('exchangers of others are named, with whose they are; the one tried first gives the name', () => {
  const found = recognised(
    '10 eu-smtp-inbound-1.mimecast.com',
    '10 eu-smtp-inbound-2.mimecast.com',
    '20 contoso-com.mail.protection.outlook.com',
    '30 mx.example.com',
  )
  assert.deepEqual([found.provider.id, found.provider.kind, found.completeness], ['mimecast', 'filter', 'mixed'])
  assert.deepEqual(
    found.foreign.map(({ exchanger, provider }) => [exchanger.preference, exchanger.host, provider?.id]),
    [
      [20, 'contoso-com.mail.protection.outlook.com', 'microsoft-365'],
      [30, 'mx.example.com', undefined],
    ],
  )
})

test('the null MX is recognised alone, and says nothing beside others', () => {
  assert.equal(recognised('0 .').provider.id, 'null-mx')
  const beside = recognised('0 .', '10 in1-smtp.messagingengine.com', '20 in2-smtp.messagingengine.com')
  assert.deepEqual([beside.provider.id, beside.completeness], ['fastmail', 'mixed'])
  assert.deepEqual(
    beside.foreign.map(({ provider }) => provider?.id),
    ['null-mx'],
  )
})

test('the order of preferences counts, their numbers do not', () => {
  const order = (...records: string[]) => recognised(...records).order
  assert.equal(order('7 in1-smtp.messagingengine.com', '8 in2-smtp.messagingengine.com'), 'as-expected')
  assert.equal(order('10 in1-smtp.messagingengine.com', '10 in2-smtp.messagingengine.com'), 'flattened')
  assert.equal(order('20 in1-smtp.messagingengine.com', '10 in2-smtp.messagingengine.com'), 'inverted')
  assert.equal(order('10 mx01.mail.icloud.com', '20 mx02.mail.icloud.com'), 'as-expected')
  const routing = ['86 route1.mx.cloudflare.net', '4 route2.mx.cloudflare.net', '24 route3.mx.cloudflare.net']
  assert.equal(order(...routing), 'not-compared')
})

test('a host that stands there twice counts once, with its better preference', () => {
  const found = recognised(
    '20 in1-smtp.messagingengine.com',
    '10 in1-smtp.messagingengine.com',
    '15 in2-smtp.messagingengine.com',
  )
  assert.deepEqual([found.completeness, found.order], ['complete', 'as-expected'])
})

test('known hosts without a known set are recognised and not compared', () => {
  const found = recognised('0 box1234.bluehost.com')
  assert.deepEqual([found.provider.id, found.form, found.completeness], ['bluehost', undefined, 'not-compared'])
})

test('neither order, nor case, nor a final dot changes what is recognised', () => {
  const known = catalogue().index.templates.filter(
    ({ template }) => template.head === undefined && template.suffix !== '.',
  )
  const host = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...known.map(({ template }) => template.suffix as string)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('contoso-com.mail.protection.outlook.com', 'd1a.ess.barracudanetworks.com'),
    },
    { weight: 1, arbitrary: fc.domain() },
  )
  const record = fc.record({ host, preference: fc.integer({ min: 0, max: 3 }) })
  fc.assert(
    fc.property(
      fc
        .uniqueArray(record, { maxLength: 6, selector: (each) => each.host })
        .chain((records) =>
          fc.tuple(
            fc.constant(records),
            fc.shuffledSubarray(records, { minLength: records.length }),
            fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
          ),
        ),
      ([records, shuffled, coins]) => {
        const written = shuffled.map(({ host: text, preference }, index) => {
          const cased = coins[index] ? text.toUpperCase() : text
          return mx(`${preference} ${cased}${coins[index + 6] ? '.' : ''}`)
        })
        const plain = records.map(({ host: text, preference }) => mx(`${preference} ${text}`))
        assert.deepEqual(recognise(written), recognise(plain))
      },
    ),
    { numRuns: 500 },
  )
})
