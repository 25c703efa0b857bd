import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { providers } from './catalogue.ts'
import { keysOf, recordsFor } from './records-for.ts'

const shown = (id: string, given: Record<string, string> = {}) => {
  const result = recordsFor(id, given)
  return result.kind === 'records' ? result.records.map(({ preference, host }) => `${preference} ${host}`) : result.kind
}

test('a provider with one set needs nothing else', () => {
  assert.deepEqual(shown('fastmail'), ['10 in1-smtp.messagingengine.com', '20 in2-smtp.messagingengine.com'])
  assert.deepEqual(shown('google-workspace'), ['1 smtp.google.com'])
  assert.deepEqual(shown('null-mx'), ['0 .'])
  assert.deepEqual(shown('google-workspace', { form: 'five-records' }).length, 5)
})

test('a region is asked for, and chosen', () => {
  const asked = recordsFor('zoho-mail')
  assert.ok(asked.kind === 'parameter-needed')
  assert.equal(asked.parameter, 'region')
  assert.ok(asked.choices.some(({ value, name }) => value === 'eu' && name === 'Europe'))
  assert.deepEqual(shown('zoho-mail', { region: 'eu' }), ['10 mx.zoho.eu', '20 mx2.zoho.eu', '50 mx3.zoho.eu'])
  const wrong = recordsFor('zoho-mail', { region: 'eur' })
  assert.ok(wrong.kind === 'parameter-wrong')
  assert.deepEqual([wrong.parameter, wrong.nearest], ['region', 'eu'])
})

test('a cloud region is asked for after the use, and is of its shape', () => {
  const asked = recordsFor('amazon-ses-inbound', { use: 'receiving' })
  assert.ok(asked.kind === 'parameter-needed' && asked.parameter === 'region' && asked.example === 'eu-west-1')
  const given = { use: 'receiving', region: 'EU-West-1' }
  assert.deepEqual(shown('amazon-ses-inbound', given), ['10 inbound-smtp.eu-west-1.amazonaws.com'])
  assert.equal(shown('amazon-ses-inbound', { ...given, region: 'eu-west-1.evil' }), 'parameter-wrong')
  assert.equal(shown('amazon-workmail', { region: 'eu-central-1' }), 'parameter-wrong')
})

test('what only the panel knows is asked for, and never worked out of a name', () => {
  const asked = recordsFor('microsoft-365')
  assert.ok(asked.kind === 'parameter-needed')
  assert.deepEqual([asked.parameter, asked.choices], ['host', []])
  assert.match(asked.question, /admin centre/)
  assert.deepEqual(shown('microsoft-365', { host: 'Contoso-com.n-v1.MX.Microsoft.' }), [
    '0 contoso-com.n-v1.mx.microsoft',
  ])
  const classic = { host: 'contoso-com.mail.protection.outlook.com' }
  assert.deepEqual(shown('microsoft-365', classic), ['0 contoso-com.mail.protection.outlook.com'])
  for (const host of ['contoso.com', 'mx.microsoft', 'a b', '', 'aspmx.l.google.com', 'x.y.z.mx.microsoft'])
    assert.equal(shown('microsoft-365', { host }), 'parameter-wrong', host)
})

test('one host of a pair gives both', () => {
  const pair = ['10 d123456a.ess.barracudanetworks.com', '20 d123456b.ess.barracudanetworks.com']
  assert.deepEqual(shown('barracuda', { host: 'd123456b.ess.barracudanetworks.com' }), pair)
  const proofpoint = recordsFor('proofpoint-enterprise', { host: 'mxb-0012ab34.gslb.pphosted.com' })
  assert.ok(proofpoint.kind === 'records')
  assert.deepEqual(proofpoint.spf, [
    {
      kind: 'include',
      domain: 'spf-0012ab34.pphosted.com',
      text: 'include:spf-0012ab34.pphosted.com',
      publishable: false,
    },
  ])
})

test('a host and a choice that say different things are told apart', () => {
  assert.equal(shown('ovh', { service: 'exchange', host: 'pro1.mail.ovh.net' }), 'parameter-wrong')
  assert.deepEqual(shown('ovh', { service: 'exchange', host: 'ex4.mail.ovh.net' }), ['0 ex4.mail.ovh.net'])
  const asked = recordsFor('ovh', { service: 'exchange' })
  assert.ok(asked.kind === 'parameter-needed' && asked.parameter === 'host')
})

test('optional records are recognised and not published', () => {
  const records = shown('ovh', { service: 'mx-plan' })
  assert.ok(Array.isArray(records) && records.length === 4 && !records.includes('200 mx4.mail.ovh.net'))
})

test('what is not confirmed, obsolete or closed is refused with a reason', () => {
  const cases: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['kolab-now', {}, /not confirmed/],
    ['zoho-mail', { region: 'cn' }, /China.*not confirmed/],
    ['trellix-etp', {}, /not confirmed/],
    ['mx-guarddog', { host: 'a.mxguarddog.com' }, /not confirmed/],
    ['microsoft-365', { host: 'x.mail.protection.office365.us' }, /not confirmed/],
    ['microsoft-365', { host: 'x.pamx1.hotmail.com' }, /no longer/],
    ['google-workspace', { form: 'seven-records' }, /no longer/],
    ['posteo', {}, /its own domains/],
    ['zimbra-hosted', {}, /names of their own/],
    ['cloudflare-email-routing', {}, /Cloudflare writes/],
  ]
  for (const [id, given, why] of cases) {
    const result = recordsFor(id, given)
    assert.ok(result.kind === 'not-publishable', `${id}: ${result.kind}`)
    assert.match(result.why, why)
  }
})

test('an unknown provider and an unknown key are answered with the near one', () => {
  const near = (id: string) => {
    const result = recordsFor(id)
    return result.kind === 'unknown' ? result.nearest : result.kind
  }
  assert.equal(near('google'), 'google-workspace')
  assert.equal(near('gogle-workspace'), 'google-workspace')
  assert.equal(near('office365'), 'microsoft-365')
  assert.equal(near('Fastmial'), 'fastmail')
  assert.equal(near('qqqqqqqqqqqq'), undefined)
  const wrong = recordsFor('zoho-mail', { regoin: 'eu' })
  assert.ok(wrong.kind === 'parameter-wrong')
  assert.deepEqual([wrong.parameter, wrong.nearest], ['regoin', 'region'])
  assert.equal(shown('fastmail', { host: 'in1-smtp.messagingengine.com' }), 'parameter-wrong')
  for (const key of ['__proto__', 'constructor'])
    assert.equal(shown('fastmail', { [key]: 'x', x: 'y' }), 'parameter-wrong')
})

test('whatever is answered to its questions, it comes to an end and publishes only its own hosts', () => {
  const answer = fc.oneof(
    fc.string(),
    fc.domain(),
    fc.constantFrom('eu', 'us', 'eu-west-1', '1', 'mx-plan', '../x', '<n>'),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...providers()),
      fc.array(answer, { minLength: 8, maxLength: 8 }),
      (provider, answers) => {
        const given: Record<string, string> = {}
        for (const text of answers) {
          const result = recordsFor(provider.id, given)
          if (result.kind === 'records') {
            const texts = provider.forms.flatMap(({ records }) => records.flatMap(({ templates }) => templates))
            for (const { host } of result.records)
              assert.ok(
                texts.some(({ suffix }) => host === suffix || host.endsWith(`.${suffix}`)),
                host,
              )
          }
          if (result.kind !== 'parameter-needed') return
          assert.ok(keysOf(provider).includes(result.parameter))
          assert.ok(!Object.hasOwn(given, result.parameter), 'it asks the same again')
          assert.ok(result.question.length > 3)
          given[result.parameter] = result.choices[0]?.value ?? text
        }
        assert.fail('it asks without end')
      },
    ),
    { numRuns: 1000 },
  )
})
