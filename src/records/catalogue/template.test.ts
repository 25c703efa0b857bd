import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HostName, parseName } from '../../dns/name.ts'
import { fill, fillHost, isAllowed, matchTemplate, type Parameters, parseTemplate } from './template.ts'

const parameters: Parameters = {
  customer: { kind: 'shape', shape: 'hex', example: '0a', ask: undefined },
  region: { kind: 'values', values: ['us', 'eu'], example: 'us', ask: undefined },
  name: { kind: 'shape', shape: 'name', example: 'a.b', ask: undefined },
  server: { kind: 'shape', shape: 'word', example: 'heron', ask: undefined },
}

const name = (text: string): HostName => {
  const parsed = parseName(text)
  return parsed.kind === 'name' ? parsed.name : assert.fail(parsed.why)
}

function templates(text: string) {
  const parsed = parseTemplate(text, parameters)
  return parsed.kind === 'templates' ? parsed.templates : assert.fail(parsed.why)
}

function match(text: string, host: string) {
  const template = templates(text).find(({ suffix }) => host === suffix || host.endsWith(`.${suffix}`))
  return template && matchTemplate(template, name(host))
}

test('a host is matched part by part, to its ends', () => {
  assert.deepEqual(match('mxa-<customer>.gslb.example.com', 'mxa-0f3.gslb.example.com'), { customer: '0f3' })
  assert.equal(match('mxa-<customer>.gslb.example.com', 'mxa-xyz.gslb.example.com'), undefined)
  assert.equal(match('mxa-<customer>.gslb.example.com', 'a.mxa-0f3.gslb.example.com'), undefined)
  assert.equal(match('mxa-<customer>.gslb.example.com', 'mxa-0f3.b.gslb.example.com'), undefined)
  assert.deepEqual(match('mx.<name>.cust.example.com', 'mx.a.example.org.cust.example.com'), { name: 'a.example.org' })
  assert.equal(match('<server>.example.com', 'heron-relay.example.com'), undefined)
})

test('fixed values become hosts of their own, which need no pattern', () => {
  const made = templates('mx-<region>.example.com')
  assert.deepEqual(
    made.map(({ suffix, head, settled }) => ({ suffix, head, settled })),
    [
      { suffix: 'mx-us.example.com', head: undefined, settled: { region: 'us' } },
      { suffix: 'mx-eu.example.com', head: undefined, settled: { region: 'eu' } },
    ],
  )
  assert.deepEqual(match('<server>.<region>.example.com', 'heron.eu.example.com'), { region: 'eu', server: 'heron' })
})

test('what cannot be a host, or would claim the hosts of everybody, is refused', () => {
  const refused = ['<server>.com', 'mx.example.<server>', 'mx.<nobody>.example.com', '<server>.<server>.example.com']
  for (const text of [...refused, 'MX.example.com', 'mx..example.com', 'mx(.<server>.example.com', 'mx.example.com.'])
    assert.equal(parseTemplate(text, parameters).kind, 'invalid', text)
})

test('filling gives back what was matched', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,20}$/)
  fc.assert(
    fc.property(word, fc.constantFrom('us', 'eu'), (server, region) => {
      const host = fillHost('<server>.<region>.example.com', { server, region })
      assert.ok(host)
      assert.deepEqual(match('<server>.<region>.example.com', host), { region, server })
    }),
  )
  assert.equal(
    fill('include:_spf_<region-without-dashes>.example.com', { region: 'eu-west-1' }),
    'include:_spf_euwest1.example.com',
  )
  assert.equal(fill('exists:%{i}.<customer>.example.com', { customer: 'a' }), 'exists:%{i}.a.example.com')
  assert.equal(fill('mx.<server>.example.com', {}), undefined)
  assert.equal(fillHost('mx.<server>.example.com', { server: 'a b' }), undefined)
})

test('a value is of its shape as a whole', () => {
  const region = { kind: 'shape', shape: 'region', example: 'eu-west-1', ask: undefined } as const
  for (const good of ['eu-west-1', 'us-gov-west-1', 'ap-southeast-2']) assert.ok(isAllowed(region, good))
  for (const bad of ['eu-west', 'eu-west-1.evil.example', 'eu-west-1\n', '', 'EU-WEST-1'])
    assert.ok(!isAllowed(region, bad))
})
