/** A domain that is checked writes its records and its policy as it likes, as long as 64 KiB: reading them takes as long as they are, not its square. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextOf, factsOf } from '../../../test/unit/facts/facts.ts'
import { host, wire } from '../../../test/unit/facts/names.ts'
import { txtData } from '../../../test/unit/facts/records.ts'
import { answer } from '../../../test/unit/facts/views.ts'
import { processorMs } from '../../../test/unit/processor-time.ts'
import type { Facts, View } from '../facts.ts'
import { runRules } from '../run-rules.ts'
import { maxAgeOf } from '../sts-policy.ts'
import { allRules } from './all.ts'
import { stsExchangerUncovered, stsExchangerUnverified } from './mta-sts/exchangers.ts'

const blanks = ' '.repeat(60_000)

/** What all rules take altogether, once they are loaded and warm. */
function costMs(facts: Facts): number {
  runRules(allRules, factsOf(), contextOf())
  return processorMs(() => runRules(allRules, facts, contextOf()))
}

const textAt = (name: string, text: string): View<'TXT'> => answer(name, [txtData(text)])

test('the age of a policy is read without the blanks around it, however many they are', () => {
  const age = (line: string) => maxAgeOf(Buffer.from(`version: STSv1\n${line}\nmode: none\n`, 'latin1'))
  assert.equal(age('max_age:\t 86400 \t\r'), '86400')
  assert.equal(age('max_age: a  b'), 'a  b')
  assert.equal(age('max_age:'), '')
  assert.equal(age(' max_age: 1'), undefined)
  assert.ok(processorMs(() => age(`max_age: x${blanks}x`)) < 200)
})

test('a policy is read once for all rules', () => {
  const facts = factsOf()
  const { https } = facts.mtaSts
  assert.ok(https.kind === 'response')
  const body = Buffer.from(`version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: x${blanks}x\n`)
  const costly = { ...facts, mtaSts: { ...facts.mtaSts, https: { ...https, body } } }
  assert.ok(costMs(costly) < 1_000)
})

for (const [what, text] of [
  ['blanks', `${blanks}x`],
  ['destinations of an unknown kind', `v=TLSRPTv1;rua=${'foo:a,'.repeat(10_000)}`],
] as const)
  test(`TXT records of 60,000 octets of ${what} cost little`, () => {
    const facts = factsOf()
    const costly: Facts = {
      ...facts,
      mtaSts: { ...facts.mtaSts, txt: textAt('_mta-sts.example.com', text) },
      tlsRpt: { ...facts.tlsRpt, txt: textAt('_smtp._tls.example.com', text) },
      dmarc: {
        ...facts.dmarc,
        walk: [{ name: wire('_dmarc.example.com'), type: 'TXT', view: textAt('_dmarc.example.com', text) }],
        discovery: { kind: 'none', asked: [{ domain: host('example.com'), found: 'none' }] },
      },
    }
    assert.ok(costMs(costly) < 1_000)
  })

test('thousands of patterns of a policy are not compared with each of thousands of exchangers', () => {
  const facts = factsOf()
  const [like] = facts.exchangers
  const { https } = facts.mtaSts
  assert.ok(like && https.kind === 'response')
  const exchangers = Array.from({ length: 20_000 }, (_, index) => ({
    ...like,
    host: host(`m${index}.example.com`),
    addresses: [],
  }))
  const patterns = Array.from({ length: 5_000 }, (_, index) => `mx: *.a${index}\n`).join('')
  const body = Buffer.from(`version: STSv1\nmode: enforce\n${patterns}max_age: 86400\n`)
  const costly = { ...facts, exchangers, mtaSts: { ...facts.mtaSts, https: { ...https, body } } }
  const cost = processorMs(() => {
    const outcomes = runRules([stsExchangerUncovered, stsExchangerUnverified], costly, contextOf())
    assert.equal(outcomes.length, 51)
  })
  assert.ok(cost < 700, `${cost} ms`)
})
