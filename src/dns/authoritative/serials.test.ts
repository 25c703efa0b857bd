import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memorySerials } from '../../../test/lab/authority.ts'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { zoneOf } from '../../../test/lab/zone-lines.ts'
import { isNewerSerial } from '../serial.ts'
import { createSerials, followingSerial, type KeptSerial } from './serials.ts'
import { readZone } from './zone.ts'

const nowMs = Date.UTC(2026, 10, 23)

test('the next serial is newer, and never 0', () => {
  assert.equal(followingSerial(undefined, 0, nowMs), 2026112300)
  assert.equal(followingSerial(undefined, 7, nowMs), 7)
  assert.equal(followingSerial(2026112300, 0, nowMs), 2026112301)
  assert.equal(followingSerial(2026112399, 0, nowMs), 2026112400)
  assert.equal(followingSerial(2026112201, 0, nowMs), 2026112300)
  assert.equal(followingSerial(5, 0, nowMs), 6)
  assert.equal(followingSerial(5, 100, nowMs), 100)
  assert.equal(followingSerial(100, 5, nowMs), 101)
  for (const before of [1, 5, 2026112301, 2_147_483_647, 2_147_483_648, 4_294_967_295])
    assert.ok(isNewerSerial(followingSerial(before, 0, nowMs), before), String(before))
})

test('a serial stays with its records, is kept before it is used, and goes on after a restart', async () => {
  const kept = new Map<string, KeptSerial>()
  const saves: number[] = []
  const memory = memorySerials(kept)
  const start = () => {
    const save = async (serials: readonly KeptSerial[]) => {
      saves.push(...serials.map(({ serial }) => serial))
      await memory.save(serials)
    }
    return createSerials({ store: { ...memory, save }, clock: createFakeClock(), breathe: () => undefined })
  }
  const read = (mx: string, serial = 0) => {
    const read = readZone(
      zoneOf('a.test.', `@ SOA ns.b.test. h.b.test. ${serial} 1 1 1 1\n@ NS ns.b.test.\n@ MX 10 ${mx}`),
    )
    assert.ok(read.kind === 'zone')
    return read.zone
  }
  const next = async (serials: ReturnType<typeof start>, ...mx: Parameters<typeof read>) =>
    [...(await serials.next([read(...mx)])).values()][0] ?? 0

  const first = start()
  const one = await next(first, 'one')
  assert.equal(await next(first, 'one'), one)
  assert.equal(await next(first, 'ONE'), one, 'names compare without case')
  const two = await next(first, 'two')
  const second = start()
  assert.equal(await next(second, 'two'), two)
  const three = await next(second, 'one')
  assert.ok(isNewerSerial(two, one) && isNewerSerial(three, two))
  assert.equal(await next(second, 'one', three + 5), three + 5, "the owner's own, where it is newer")
  assert.deepEqual(saves, [one, two, three, three + 5])

  const high = await next(second, 'one', 4_000_000_000)
  assert.equal(await next(second, 'one'), high, 'an SOA without a serial of its own is behind none')
})

test('a store that fails leaves everything as it was', async () => {
  let isBroken = true
  const store = {
    load: async () => [],
    save: async () => {
      if (isBroken) throw new Error('disk full')
    },
  }
  const serials = createSerials({ store, clock: createFakeClock(), breathe: () => undefined })
  const read = readZone(zoneOf('a.test.', '@ SOA ns.b.test. h.b.test. 9 1 1 1 1\n@ NS ns.b.test.'))
  assert.ok(read.kind === 'zone')
  await assert.rejects(serials.next([read.zone]), /disk full/)
  isBroken = false
  assert.deepEqual([...(await serials.next([read.zone])).values()], [9])
})
