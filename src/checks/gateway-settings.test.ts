import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeSession } from '../../test/unit/facts/change.ts'
import { factsOf } from '../../test/unit/facts/facts.ts'
import { host } from '../../test/unit/facts/names.ts'
import { said } from '../../test/unit/facts/sessions.ts'
import type { Fault, Subject } from './finding.ts'
import { ownExchangers, withGatewaySettings } from './gateway-settings.ts'
import { smtpRules } from './rules/smtp/rules.ts'
import { tlsRules } from './rules/tls/rules.ts'

const gateway = host('mx1.example.com')
const postfix = { text: 'do this', records: ['a record'], settings: ['smtpd_tls_security_level = may'] }
const at = (exchanger: string, address = '192.0.2.1'): Subject => ({ kind: 'address', exchanger, address })
const fault = (subject: Subject, data: Fault['data'] = {}): Fault => ({
  ...{ kind: 'fault', severity: 'error', seen: 'seen', why: 'why', remedy: postfix },
  ...{ subject, data },
})

test('where the exchanger is a gateway of ours, its waypost.yaml stands in place of the settings of other servers', () => {
  const isOwn = ownExchangers(factsOf(), gateway)
  const own = withGatewaySettings('smtp-no-starttls', fault(at('mx1.example.com')), isOwn).remedy
  assert.match(own.text, /under tls: in waypost\.yaml/)
  assert.deepEqual(own.settings, ['tls: { certificate: /path/fullchain.pem, key: /path/privkey.pem } (waypost.yaml)'])
  assert.deepEqual(own.records, ['a record'])
  const other = fault(at('mx2.example.com', '198.51.100.1'))
  assert.equal(withGatewaySettings('smtp-no-starttls', other, isOwn), other)
  const hidden = fault(at('mx1.example.com'), { isHiddenOnTheWay: true })
  assert.equal(withGatewaySettings('smtp-no-starttls', hidden, isOwn), hidden)
  const nobody = fault(at('mx1.example.com'))
  assert.equal(withGatewaySettings('smtp-no-starttls', nobody, ownExchangers(factsOf(), undefined)), nobody)
})

test('an exchanger of another name that greets by the name of the gateway is the gateway', () => {
  const facts = changeSession(factsOf(), 0, { greeting: said(220, 'Gate.example.net ESMTP') })
  const isOwn = ownExchangers(facts, host('gate.example.net'))
  assert.equal(isOwn(at('mx1.example.com')), true)
  assert.equal(isOwn(at('mx2.example.com', '198.51.100.1')), false)
})

test('a finding of all exchangers is about ours where all of them are', () => {
  const domain: Subject = { kind: 'domain', name: 'example.com' }
  assert.equal(ownExchangers(factsOf(), gateway)(domain), false)
  const alone = factsOf((facts) => ({ ...facts, exchangers: facts.exchangers.slice(0, 1) }))
  assert.equal(ownExchangers(alone, gateway)(domain), true)
  assert.equal(ownExchangers(alone, gateway)({ kind: 'exchanger', name: 'mx1.example.com' }), true)
  assert.equal(ownExchangers({ ...alone, exchangers: [] }, gateway)(domain), false)
})

test('no rule about sessions and TLS tells the owner of a gateway what to set in another server', () => {
  // What these say names no server.
  const silent = [
    'smtp-reply-malformed',
    'smtp-temporarily-refused',
    'caa-forbids-issuer',
    'tls-certificates-differ',
    'tls-key-weak',
  ]
  const isOwn = ownExchangers(factsOf(), gateway)
  for (const { id } of [...smtpRules, ...tlsRules])
    if (!silent.includes(id)) {
      const { remedy } = withGatewaySettings(id, fault(at('mx1.example.com')), isOwn)
      assert.doesNotMatch(JSON.stringify(remedy), /smtpd_/, id)
    }
})
