/** The data itself: every entry is recognised by its own hosts, nobody else's, and is published only where its facts allow it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostName, parseName } from '../../dns/name.ts'
import { catalogue, createCatalogue, providers } from './catalogue.ts'
import { parseCatalogue } from './parse.ts'
import { type Exchanger, type Form, isPublishable, type KnownHost, type Provider } from './provider.ts'
import { recognise } from './recognise.ts'
import { recordsFor } from './records-for.ts'
import { fillHost, placeholders } from './template.ts'

const name = (text: string): HostName => {
  const parsed = parseName(text)
  return parsed.kind === 'name' ? parsed.name : assert.fail(`${text}: ${parsed.why}`)
}

const examples = ({ parameters }: Provider) =>
  Object.fromEntries(Object.entries(parameters).map(([key, { example }]) => [key, example]))

const exampleHost = (provider: Provider, { text }: KnownHost): HostName =>
  fillHost(text, examples(provider)) ?? assert.fail(`${provider.id}: ${text}`)

const exampleSet = (provider: Provider, form: Form): readonly Exchanger[] =>
  form.records.map((record, index) => ({
    preference: record.preference ?? (index * 37) % 90,
    host: exampleHost(provider, record),
  }))

const isPublished = (provider: Provider, form: Form) =>
  provider.closed === undefined && form.status !== 'obsolete' && isPublishable(form.confidence)

test('the catalogue holds to its schema, and every entry has what a reader needs', () => {
  assert.ok(providers().length >= 93)
  for (const provider of providers()) {
    assert.match(provider.home, /^https:\/\//)
    assert.ok(provider.source.length > 3 && /^20\d\d-\d\d$/.test(provider.date), provider.id)
    assert.equal(catalogue().byId.get(provider.id), provider)
  }
})

for (const provider of providers()) {
  test(`${provider.id} is recognised by each of its sets`, () => {
    for (const form of provider.forms) {
      const set = exampleSet(provider, form)
      const found = recognise(set)
      assert.ok(found.kind === 'recognised', form.id)
      assert.equal(found.completeness, 'complete', form.id)
      assert.deepEqual([found.missing, found.foreign, found.otherForms, found.leftovers], [[], [], [], []])
      assert.equal(found.order, provider.orderMatters ? 'as-expected' : 'not-compared')
      if (form.hostsOf === undefined) {
        assert.equal(found.provider, provider)
        assert.equal(found.form, form)
        assert.equal(found.obsolete.length > 0, form.status === 'obsolete')
      } else {
        assert.equal(found.provider.id, form.hostsOf)
      }
      const must = set.filter((_, index) => form.records[index]?.optional === false)
      for (const absent of must.length > 1 ? must : []) {
        const partial = recognise(set.filter((exchanger) => exchanger !== absent))
        assert.ok(
          partial.kind === 'recognised' && partial.completeness !== 'mixed',
          `${form.id} without ${absent.host}`,
        )
      }
    }
    for (const host of provider.hosts) {
      const found = recognise([{ preference: 10, host: exampleHost(provider, host) }])
      assert.ok(found.kind === 'recognised' && found.provider === provider, host.text)
    }
    for (const host of provider.leftovers) {
      const found = recognise([{ preference: 10, host: exampleHost(provider, host) }])
      assert.ok(found.kind === 'recognised' && found.provider === provider && found.leftovers.length === 1, host.text)
    }
    if (provider.forms.length + provider.hosts.length === 0)
      assert.equal(recordsFor(provider.id).kind, 'not-publishable')
  })

  test(`${provider.id} is published only as far as its facts are sure`, () => {
    for (const form of provider.forms) {
      const set = exampleSet(provider, form)
      const needs = placeholders(form.records[0]?.text ?? '')
      const isAsked = needs.every((key) => provider.parameters[key]?.ask !== undefined)
      const values = Object.fromEntries(needs.map((key) => [key, provider.parameters[key]?.example ?? '']))
      const given = isAsked
        ? { ...values, ...(form.status === 'current' ? form.when : { form: form.id }) }
        : { host: set[0]?.host ?? '' }
      const result = recordsFor(provider.id, given)
      if (!isPublished(provider, form)) {
        const isSaid =
          result.kind === 'not-publishable' || (form.status === 'obsolete' && result.kind === 'parameter-wrong')
        assert.ok(isSaid, `${form.id}: ${result.kind}`)
        continue
      }
      assert.ok(result.kind === 'records', `${form.id}: ${JSON.stringify(result)}`)
      const wanted = set.filter((_, index) => form.records[index]?.optional === false)
      assert.deepEqual(result.records, wanted)
      if (form.hostsOf !== undefined) continue
      const found = recognise(result.records)
      assert.ok(found.kind === 'recognised')
      const again = recordsFor(found.provider.id, found.parameters)
      assert.deepEqual(again, result, `${form.id} ${JSON.stringify(found.parameters)}`)
    }
  })
}

test('no host is recognised as that of two providers, but where one lets the other use it', () => {
  for (const provider of providers()) {
    const hosts: readonly KnownHost[] = [
      ...provider.forms.filter(({ hostsOf }) => hostsOf === undefined).flatMap(({ records }) => records),
      ...provider.hosts,
      ...provider.leftovers,
    ]
    for (const host of hosts) {
      const matches = catalogue().index.match(exampleHost(provider, host))
      const owners = new Set(
        matches.filter(({ form }) => form?.hostsOf === undefined).map((match) => match.provider.id),
      )
      assert.deepEqual([...owners], [provider.id], host.text)
    }
  }
})

test('a host is looked up among few: no parent name has many templates', () => {
  const below = new Map<string, number>()
  for (const { template } of catalogue().index.templates)
    if (template.head !== undefined) below.set(template.suffix, (below.get(template.suffix) ?? 0) + 1)
  for (const [suffix, count] of below) assert.ok(count <= 6, `${suffix}: ${count}`)
})

/** Milliseconds for 20,000 sets, with a catalogue of `count` providers that have a template each. */
function recognitionMs(count: number): number {
  const entries = Array.from({ length: count }, (_, index) => {
    const records = `{ id: own, name: own, records: [10 mx-<n>.provider-${index}.example] }`
    return `- { id: p${index}, name: P${index}, kind: mailbox, home: "https://a.example", confidence: observed, source: none, date: 2026-11,
  panel: asks, parameters: { n: { shape: number, example: "1" } }, forms: [${records}] }`
  })
  const parsed = parseCatalogue(entries.join('\n'))
  assert.ok(parsed.kind === 'providers', JSON.stringify(parsed))
  const from = createCatalogue(parsed.providers)
  const sets = Array.from({ length: 20_000 }, (_, index) => [
    { preference: 10, host: name(`mx-${index}.provider-${index % count}.example`) },
    { preference: 20, host: name(`mx-${index}.stranger-${index % count}.example`) },
  ])
  const usedMs = () => process.threadCpuUsage().user / 1000
  const before = usedMs()
  for (const set of sets) assert.equal(recognise(set, from).kind, 'recognised')
  return usedMs() - before
}

test('what it takes to recognise a set does not grow with the catalogue', () => {
  recognitionMs(50)
  const small = recognitionMs(50)
  const large = recognitionMs(2000)
  // 40 times the providers; one tried after the other would take some 40 times as long.
  assert.ok(large < 8 * small, `${large} ms after ${small} ms`)
})
