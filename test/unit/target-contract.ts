/**
 * What every target keeps (`src/publish/targets/target.ts`), as tests over one: each is started with a zone `example.test` that holds `smallZone` of
 * `test/interop/harness/name-server.ts`, and is changed by another hand in between.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { IpAddress } from '../../src/base/ip.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { nullMx } from '../../src/publish/declare/wanted.ts'
import {
  type RecordSet,
  type SetContent,
  type SetName,
  sameContent,
  setKey,
} from '../../src/publish/sets/record-set.ts'
import { textData } from '../../src/publish/sets/text-kind.ts'
import type { SetChange, Target, TargetApplied } from '../../src/publish/targets/target.ts'
import { labName } from '../lab/names.ts'

export interface TargetStand {
  readonly target: Target
  /** Every record of the zone but for the SOA, as the target holds them: a line each, in an order of its own that does not change. */
  dump(): Promise<readonly string[]>
  /** Makes a set what it says, past the target. */
  anotherHand(set: SetName, content: SetContent | undefined): Promise<void>
}

export type StartTarget = (t: TestContext) => Promise<TargetStand>

export const apex = labName('example.test')
export const mxSet: SetName = { name: apex, code: typeCodes.MX }
export const txtSet: SetName = { name: apex, code: typeCodes.TXT }
export const addressSet = (host: string): SetName => ({ name: labName(`${host}.example.test`), code: typeCodes.A })

export const mx = (preference: number, host: string): Rdata => ({ type: 'MX', preference, exchange: labName(host) })
export const a = (address: string): Rdata => ({ type: 'A', address: address as IpAddress })

const oldExchangers = [mx(10, 'mx1.example.test'), mx(20, 'mx2.example.test')]

/** What every target keeps, each over a zone of its own. */
const contract: Readonly<Record<string, (stand: TargetStand) => Promise<void>>> = {
  async 'whole sets are read, and nothing for those that are not there'({ target }) {
    const read = await target.read([mxSet, txtSet, addressSet('nobody')])
    assert.ok(read.kind === 'read', JSON.stringify(read))
    assertSame(setOf(read.sets, mxSet), { ttlSeconds: 300, data: oldExchangers })
    assertSame(setOf(read.sets, txtSet), {
      ttlSeconds: 300,
      data: [textData('v=spf1 mx -all'), textData('another-string')],
    })
    assert.equal(setOf(read.sets, addressSet('nobody')), undefined)
    assert.equal(read.isNewZone, false)
  },

  async 'sets are added, changed and removed together, and every other record stays as it was'(stand) {
    const before = await stand.dump()
    const after = { ttlSeconds: 600, data: [mx(10, 'mx1.example.test'), mx(5, 'mx3.example.test')] }
    const host = { ttlSeconds: 600, data: [a('192.0.2.3'), a('192.0.2.4')] }
    const applied = await change(stand, [
      [addressSet('mx3'), host],
      [mxSet, after],
      [addressSet('mx2'), undefined],
    ])
    assertKind(applied, 'applied')
    assertSame(await now(stand, mxSet), after)
    assertSame(await now(stand, addressSet('mx3')), host)
    assert.equal(await now(stand, addressSet('mx2')), undefined)
    const untouched = (lines: readonly string[]) => lines.filter((line) => !/\bMX\b|^mx[23]\b/i.test(line))
    assert.deepEqual(untouched(await stand.dump()), untouched(before))
  },

  async 'one text of a shared set changes, and its neighbour stays'(stand) {
    const after = { ttlSeconds: 300, data: [textData('another-string'), textData('v=spf1 mx ip4:192.0.2.9 ~all')] }
    const applied = await change(stand, [[txtSet, after]])
    assertKind(applied, 'applied')
    assertSame(await now(stand, txtSet), after)
  },

  async 'a long text keeps its strings, where its neighbour comes and changes'(stand) {
    const key = `v=DKIM1; k=rsa; p=${'A'.repeat(1_000)}`.match(/.{1,255}/g) ?? []
    const long: Rdata = { type: 'TXT', strings: key.map((part) => Buffer.from(part)) }
    for (const spf of ['v=spf1 mx -all', 'v=spf1 mx ~all']) {
      const after: SetContent = { ttlSeconds: 300, data: [long, textData(spf)] }
      assertKind(await change(stand, [[txtSet, after]]), 'applied')
      assertSame(await now(stand, txtSet), after)
    }
  },

  async 'another TTL is a change of the whole set'(stand) {
    const applied = await change(stand, [[mxSet, { ttlSeconds: 7_200, data: oldExchangers }]])
    assertKind(applied, 'applied')
    assertSame(await now(stand, mxSet), { ttlSeconds: 7_200, data: oldExchangers })
  },

  async 'a null MX takes the place of real ones, and goes again'(stand) {
    if (!stand.target.limits.takesNullMx) return
    const none = { ttlSeconds: 300, data: [nullMx] }
    assertKind(await change(stand, [[mxSet, none]]), 'applied')
    assertSame(await now(stand, mxSet), none)
    assertKind(await change(stand, [[mxSet, { ttlSeconds: 300, data: oldExchangers }]]), 'applied')
    assertSame(await now(stand, mxSet), { ttlSeconds: 300, data: oldExchangers })
  },

  async 'a set that another hand changed in between is a conflict, and nothing is written'(stand) {
    const read = await stand.target.read([mxSet, txtSet])
    assert.ok(read.kind === 'read')
    const theirs = { ttlSeconds: 300, data: [...oldExchangers, mx(15, 'www.example.test')] }
    await stand.anotherHand(mxSet, theirs)
    const before = await stand.dump()
    const applied = await stand.target.apply({
      version: read.version,
      changes: [
        changeOf(read.sets, txtSet, { ttlSeconds: 300, data: [textData('ours')] }),
        changeOf(read.sets, mxSet, { ttlSeconds: 300, data: [mx(1, 'mx1.example.test')] }),
      ],
    })
    assertKind(applied, 'conflict')
    assert.deepEqual(await stand.dump(), before)
    assertSame(await now(stand, mxSet), theirs)
  },

  async 'a set that appeared in between is a conflict, too, and so is one that went'(stand) {
    const nobody = addressSet('nobody')
    const www = addressSet('www')
    const read = await stand.target.read([nobody, www])
    assert.ok(read.kind === 'read')
    const theirs = { ttlSeconds: 60, data: [a('192.0.2.77')] }
    await stand.anotherHand(nobody, theirs)
    const ours = { ttlSeconds: 60, data: [a('192.0.2.78')] }
    const first = { version: read.version, changes: [changeOf(read.sets, nobody, ours)] }
    assertKind(await stand.target.apply(first), 'conflict')
    assertSame(await now(stand, nobody), theirs)
    const again = await stand.target.read([nobody, www])
    assert.ok(again.kind === 'read')
    await stand.anotherHand(www, undefined)
    const second = { version: again.version, changes: [changeOf(again.sets, www, ours)] }
    assertKind(await stand.target.apply(second), 'conflict')
    assert.equal(await now(stand, www), undefined)
  },
}

export function testTarget(name: string, start: StartTarget): void {
  for (const [what, holds] of Object.entries(contract)) test(`${name}: ${what}`, async (t) => holds(await start(t)))
}

/** Reads, and applies at once. */
export async function change(
  { target }: TargetStand,
  wanted: readonly (readonly [SetName, SetContent | undefined])[],
): Promise<TargetApplied> {
  const read = await target.read(wanted.map(([set]) => set))
  assert.ok(read.kind === 'read', JSON.stringify(read))
  return target.apply({
    version: read.version,
    changes: wanted.map(([set, after]) => changeOf(read.sets, set, after)),
  })
}

export async function now({ target }: TargetStand, set: SetName): Promise<SetContent | undefined> {
  const read = await target.read([set])
  assert.ok(read.kind === 'read', JSON.stringify(read))
  return setOf(read.sets, set)
}

const setOf = (sets: readonly RecordSet[], wanted: SetName) => sets.find((set) => setKey(set) === setKey(wanted))

const changeOf = (sets: readonly RecordSet[], set: SetName, after: SetContent | undefined): SetChange => ({
  ...set,
  before: setOf(sets, set),
  after,
})

function assertKind(applied: TargetApplied, kind: TargetApplied['kind']): void {
  assert.equal(applied.kind, kind, JSON.stringify(applied))
}

export function assertSame(actual: SetContent | undefined, expected: SetContent): void {
  assert.ok(actual && sameContent(actual, expected), JSON.stringify({ actual, expected }))
}
