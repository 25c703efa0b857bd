/**
 * Mutated requests and answers against what verifies signatures, reads answers to updates and puts transfers together: nothing throws or takes
 * long, and nothing that was changed passes for signed. The corpus is what BIND, Knot, NSD and PowerDNS answered to updates and transfers of
 * ours, good and bad ones; `from` says which.
 */
import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import type { Random } from '../../src/base/random.ts'
import { decodeMessage } from '../../src/dns/message.ts'
import { ZoneReader } from '../../src/dns/transfer/zone-reader.ts'
import { createAnswerReader, type ReadAnswer } from '../../src/dns/tsig/answer-reader.ts'
import type { TsigKey } from '../../src/dns/tsig/key.ts'
import { findTsig } from '../../src/dns/tsig/record.ts'
import { verifyRequest } from '../../src/dns/tsig/request.ts'
import { isAtOrBelow } from '../../src/dns/wire-name.ts'
import { labName } from '../lab/names.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

interface Kept {
  readonly from: string
  readonly timeSeconds: number
  readonly request: string
  readonly answers: readonly string[]
}

const folder = new URL('./corpus/tsig/', import.meta.url)
const corpus = readdirSync(folder)
  .sort()
  .map((file) => open(file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, folder), 'utf8'))))

function open(name: string, kept: Kept) {
  const request = Buffer.from(kept.request, 'hex')
  const found = findTsig(request)
  assert.ok(found.kind === 'tsig')
  // The secret with which all of them were made, but for those to whom it was said that theirs is wrong.
  const secret = createSecretKey(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))
  const key: TsigKey = { name: found.tsig.keyName, algorithm: 'hmac-sha256', secret }
  const answers = kept.answers.map((text) => Buffer.from(text, 'hex'))
  return { name, request, answers, key, mac: found.tsig.mac, timeSeconds: kept.timeSeconds }
}
type Opened = ReturnType<typeof open>

const zone = labName('example.test')

/** All answers read in order, up to the first that ends it. */
function read({ request, key, mac, timeSeconds }: Opened, answers: readonly Buffer[]): ReadAnswer[] {
  const opcode = ((request[2] ?? 0) >> 3) & 15
  const clock = { ...systemClock, now: () => timeSeconds * 1_000 }
  const reader = createAnswerReader({ id: request.readUInt16BE(0), opcode, signed: { key, mac } }, clock)
  const zoneReader = new ZoneReader(zone, 50)
  const started = performance.now()
  const all: ReadAnswer[] = []
  for (const bytes of answers) {
    const one = watched('answer', bytes, () => reader.read(bytes))
    all.push(one)
    if (one.kind !== 'answer') break
    const step = zoneReader.take(one.message)
    if (step.kind !== 'zone') continue
    assert.ok(step.zone.records.length <= 50)
    for (const record of step.zone.records) assert.ok(isAtOrBelow(record.name, zone))
  }
  assert.ok(performance.now() - started < 10_000, 'slow')
  return all
}

const verdict = (one: ReadAnswer | undefined) => {
  if (one?.kind === 'tsig') return one.problem
  return one?.kind === 'answer' ? `${one.trust} ${one.message.rcode}` : one?.kind
}

/** What each server answers. PowerDNS complains of a signature without one; NSD knows signatures, but no updates. */
const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  transfer: { bind: 'signed 0', knot: 'signed 0', nsd: 'signed 0', powerdns: 'signed 0' },
  update: { bind: 'signed 0', knot: 'signed 0', nsd: 'unsigned 4', powerdns: 'signed 0' },
  prerequisite: { bind: 'signed 7', knot: 'signed 7', nsd: 'unsigned 4', powerdns: 'signed 7' },
  'unknown-key': { bind: 'bad-key', knot: 'bad-key', nsd: 'unsigned 4', powerdns: 'unsigned 5' },
  'wrong-secret': { bind: 'bad-signature', knot: 'bad-signature', nsd: 'unsigned 4', powerdns: 'unsigned 5' },
  'wrong-time': { bind: 'bad-time', knot: 'bad-time', nsd: 'unsigned 4', powerdns: 'unsigned 5' },
}

test('the corpus', () => {
  assert.ok(corpus.length >= 24)
  for (const kept of corpus) {
    const [server = '', ...what] = kept.name.split('-')
    const verdicts = read(kept, kept.answers).map(verdict)
    const one = expected[what.join('-')]?.[server]
    assert.ok(one !== undefined, kept.name)
    assert.deepEqual(
      verdicts,
      Array.from({ length: kept.answers.length }, () => one),
      kept.name,
    )
    const isOurs = what.join('-') !== 'unknown-key' && what.join('-') !== 'wrong-secret'
    assert.equal(verifyRequest(kept.request, [kept.key], kept.timeSeconds).kind, isOurs ? 'verified' : 'bad-signature')
  }
})

function mutate(from: Buffer, random: Random): Buffer {
  const pick = (below: number) => Math.floor(random.number() * below)
  let bytes = Buffer.from(from)
  for (let change = pick(3); change >= 0; change--) {
    const at = pick(bytes.length)
    const kind = pick(6)
    if (kind === 0) bytes[at] = pick(256)
    else if (kind === 1) bytes[at] = 0xc0 | pick(2)
    else if (kind === 2) bytes = bytes.subarray(0, at)
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(pick(8)), bytes.subarray(at)])
    else bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
  }
  return bytes
}

const meaning = (bytes: Buffer) => {
  const decoded = decodeMessage(bytes)
  return decoded.kind === 'message' ? { ...decoded.message, id: 0, additionals: [] } : decoded
}

test('20,000 changed answers: whatever passes for signed says what was signed', () => {
  const random = fuzzRandom(8945)
  const seen = new Map<string, number>()
  for (let round = 0; round < fuzzRounds(20_000); round++) {
    const kept = corpus[Math.floor(random.number() * corpus.length)]
    assert.ok(kept)
    const changed = Math.floor(random.number() * kept.answers.length)
    const answers = kept.answers.map((answer, index) => (index === changed ? mutate(answer, random) : answer))
    const all = read(kept, answers)
    for (const [index, one] of all.entries()) {
      const kind = one.kind === 'answer' ? one.trust : one.kind
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
      if (one.kind !== 'answer' || one.trust !== 'signed') continue
      const original: Buffer | undefined = kept.answers[index]
      assert.ok(original)
      assert.deepEqual({ ...one.message, id: 0, additionals: [] }, meaning(original))
    }
  }
  for (const kind of ['signed', 'unsigned', 'tsig', 'malformed', 'stranger'])
    assert.ok((seen.get(kind) ?? 0) > 100, `${kind}: ${seen.get(kind)}`)
})

test('20,000 changed requests: whatever is verified is what was signed', () => {
  const random = fuzzRandom(2136)
  const seen = new Map<string, number>()
  for (let round = 0; round < fuzzRounds(20_000); round++) {
    const kept = corpus[Math.floor(random.number() * corpus.length)]
    assert.ok(kept)
    const bytes = mutate(kept.request, random)
    const result = watched('request', bytes, () => verifyRequest(bytes, [kept.key], kept.timeSeconds))
    seen.set(result.kind, (seen.get(result.kind) ?? 0) + 1)
    if (result.kind === 'verified') assert.deepEqual(meaning(result.message), meaning(kept.request))
  }
  for (const kind of ['verified', 'unsigned', 'malformed', 'bad-key', 'bad-signature'])
    assert.ok((seen.get(kind) ?? 0) > 0, `${kind}: ${seen.get(kind)}`)
})
