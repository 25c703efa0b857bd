import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { startSilent } from '../../../test/lab/silent-server.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Resolver } from '../../dns/resolver.ts'
import type { PublisherOptions } from '../options.ts'
import { createDnsReader } from '../targets/dns-reader.ts'
import { type ExamineDeps, type ExamineOptions, examineAt, examineUnits, type Unit, unitsOf } from './examine.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** How many of these run, and how many ran at once at most. */
function gauge() {
  let [running, most] = [0, 0]
  return {
    get most() {
      return most
    },
    async pass(turns: number): Promise<void> {
      most = Math.max(most, ++running)
      for (let at = 0; at < turns; at++) await turn()
      running--
    },
  }
}

const unitOf = (index: number, publisher: string | undefined): Unit => {
  const domain = `d${index}.example.test` as HostName
  const exchangers = [{ preference: 10, host: 'mx.example.net' as HostName, addresses: undefined }]
  const declaration = { domain, exchangers, ttlSeconds: 60, publisher, texts: [], absent: [] }
  return { publisher, zone: labName(domain), declarations: [declaration] }
}

const options: ExamineOptions = {
  publishers: {
    api: { type: 'powerdns', apiKey: { kind: 'environment', name: 'KEY' } } as unknown as PublisherOptions,
  },
  ...{
    asksSmtp: false,
    isPrivate: false,
    healthy: new Set<never>(),
    smtpPort: 25,
    httpsPort: 443,
    hello: 'waypost.example.net',
  },
}

test('many zones are looked at several at once, those of an API one after the other, and all stand in their order', async () => {
  const [questions, secrets] = [gauge(), gauge()]
  const resolver = {
    async resolve(name: string) {
      // The later ones answer sooner.
      await questions.pass(20 - (name.charCodeAt(2) % 10))
      return { kind: 'no-data', canonicalName: name, aliases: [] }
    },
  } as unknown as Resolver
  const deps = {
    ...{ clock: steadyClock, resolver, cached: { untilMs: () => undefined, unread: undefined } },
    async secrets() {
      await secrets.pass(3)
      return { kind: 'missing', why: 'KEY is not set' }
    },
  } as unknown as ExamineDeps
  const units = Array.from({ length: 60 }, (_, index) => unitOf(index, index % 4 === 0 ? 'api' : undefined))
  const told: number[] = []
  const examined = await examineUnits(units, options, deps, {
    ...{ atOnce: 7, onDone: (done) => void told.push(done) },
  })
  assert.deepEqual(
    examined.map(({ unit }) => unit),
    units,
  )
  assert.deepEqual(
    examined.map(({ kind }) => kind),
    units.map(({ publisher }) => (publisher === undefined ? 'examined' : 'failed')),
  )
  assert.equal(secrets.most, 1)
  assert.ok(questions.most > 1 && questions.most <= 2 * 7, `${questions.most} questions at once`)
  assert.deepEqual(
    told,
    units.map((_, index) => index + 1),
  )
})

test('a publisher that does not answer is asked once for all of its zones', async (t) => {
  const silent = await startSilent(t)
  const dead = { type: 'rfc2136', server: silent.server, timeout: 50 } as unknown as PublisherOptions
  const deps = { clock: steadyClock, random: systemRandom, door: systemDoor, log: silentLog } as unknown as ExamineDeps
  const units = [1, 2, 3].map((index) => unitOf(index, 'dead'))
  const told: number[] = []
  const examined = await examineUnits(units, { ...options, publishers: { dead } }, deps, {
    atOnce: undefined,
    onDone: (done) => void told.push(done),
  })
  const failures = examined.map((zone) => (zone.kind === 'failed' ? zone.failure : assert.fail()))
  assert.deepEqual(
    failures.map(({ kind }) => kind),
    ['unreachable', 'unreachable', 'unreachable'],
  )
  const [first, ...others] = failures.map(({ why }) => why)
  assert.match(first ?? '', / does not answer: /)
  assert.deepEqual(others, [`${first}; it was not asked once more`, `${first}; it was not asked once more`])
  assert.deepEqual(told, [1, 2, 3])
  assert.match(silent.asked(), /d1/)
  assert.doesNotMatch(silent.asked(), /d[23]/)
})

test('what one zone throws ends it all', async () => {
  const resolver = { resolve: () => Promise.reject(new Error('a bug')) } as unknown as Resolver
  const deps = { clock: steadyClock, resolver } as unknown as ExamineDeps
  const units = [unitOf(1, undefined), unitOf(2, undefined)]
  await assert.rejects(examineUnits(units, options, deps, { atOnce: undefined, onDone: () => undefined }), /a bug/)
})

test('a target is closed where its zone fails or throws, and left open where it was examined', async () => {
  const closedAfter = async (resolve: () => Promise<unknown>) => {
    let closed = 0
    const unit = unitOf(1, undefined)
    const deps = {
      ...{ clock: steadyClock, cached: { untilMs: () => undefined, unread: undefined } },
      resolver: { resolve },
    } as unknown as ExamineDeps
    const target = { ...createDnsReader(unit.zone, deps.resolver), close: () => void closed++ }
    const outcome = await examineAt(target, unit, options, deps).then(
      ({ kind }) => kind,
      (error: Error) => error.message,
    )
    return [outcome, closed]
  }
  assert.deepEqual(await closedAfter(() => Promise.reject(new Error('a bug'))), ['a bug', 1])
  assert.deepEqual(await closedAfter(() => Promise.resolve({ kind: 'failed', why: 'silence' })), ['failed', 1])
  const nothing = { kind: 'no-data', canonicalName: labName('d1.example.test'), aliases: [] }
  assert.deepEqual(await closedAfter(() => Promise.resolve(nothing)), ['examined', 0])
})

test('a zone of the built-in server is one unit by whatever names of publishers, a zone of two other places is two', () => {
  const builtin = (zone?: string) => ({ type: 'builtin', ...(zone ? { zone: labName(zone) } : {}) })
  const file = { type: 'zonefile', path: '/tmp/z', zone: labName('d1.example.test') }
  const publishers = { builtin: builtin(), other: builtin('d1.example.test'), file } as unknown as Record<
    string,
    PublisherOptions
  >
  const declarations = ['builtin', 'other', 'file'].map((publisher) => {
    const [declaration] = unitOf(1, publisher).declarations
    assert.ok(declaration)
    return declaration
  })
  assert.deepEqual(
    unitsOf(declarations, publishers).map((unit) => [unit.publisher, unit.declarations.length]),
    [
      ['builtin', 2],
      ['file', 1],
    ],
  )
})
