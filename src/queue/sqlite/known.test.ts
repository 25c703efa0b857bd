import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { lane, mailbox } from '../../../test/unit/held-message.ts'
import { systemClock } from '../../base/clock.ts'
import { parseIp } from '../../base/ip.ts'
import { systemRandom } from '../../base/random.ts'
import { openStore } from '../../store/open.ts'
import { knownModule, openKnownRecipients } from './known.ts'
import { type KnownLimits, kinds } from './known-tables.ts'

const day = 86_400_000
const main = lane('main')
const said = { code: 550, text: '5.1.1 <Joe@example.test>: joe is unknown here' }
const joe = mailbox('joe@example.test')

/** Of a domain, in all of those that are good, and of those that were refused. */
const limits = (ofDomain: number, good: number, bad: number): KnownLimits => ({
  [kinds.delivered]: { ofDomain, inAll: good },
  [kinds.accepted]: { ofDomain, inAll: good },
  [kinds.refused]: { ofDomain, inAll: bad },
})
const stranger = (network: number) => parseIp(`192.0.${network}.1`) ?? assert.fail()

async function make(t: TestContext, most?: KnownLimits) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-known-'))
  const clock = createFakeClock()
  let close = async () => {}
  t.after(async () => {
    await close()
    await rm(folder, { recursive: true, force: true })
  })
  const start = async () => {
    const opened = await openStore({ folder, modules: [knownModule] }, { clock: systemClock })
    if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
    close = () => opened.store.close()
    const known = await openKnownRecipients(opened.store, {
      clock,
      random: systemRandom,
      ...(most && { limits: most }),
    })
    close = async () => {
      close = async () => {}
      await known.close()
      await opened.store.close()
    }
    return known
  }
  return { folder, clock, start, stop: () => close() }
}

test('what a backend said is known at once, and after a restart', async (t) => {
  const { start, stop, clock } = await make(t)
  const known = await start()
  assert.deepEqual(await known.ask(joe, main), { kind: 'unknown' })
  known.refused(joe, main, said)
  assert.equal((await known.ask(joe, main)).kind, 'refused')
  await stop()
  const again = await start()
  assert.deepEqual(await again.ask(joe, main), {
    kind: 'refused',
    code: 550,
    text: '5.1.1 <joe@example.test>: joe is unknown here',
  })
  assert.deepEqual(await again.ask(joe, lane('other')), { kind: 'unknown' })
  again.delivered(joe)
  assert.deepEqual(await again.ask(joe, lane('other')), { kind: 'accepted' })
  // It is on the disk within a second, by itself.
  clock.advance(500)
  await again.flush()
  assert.deepEqual(await again.ask(joe, main), { kind: 'accepted' })
})

test('good ones are good for 31 days from the last time, bad ones for 3', async (t) => {
  const { start, clock } = await make(t)
  const known = await start()
  const ann = mailbox('ann@example.test')
  known.delivered(joe)
  known.refused(ann, main, said)
  await known.flush()
  clock.advance(3 * day - 1)
  assert.equal((await known.ask(ann, main)).kind, 'refused')
  clock.advance(1)
  assert.equal((await known.ask(ann, main)).kind, 'unknown')
  known.delivered(joe)
  await known.flush()
  clock.advance(31 * day - 1)
  assert.equal((await known.ask(joe, main)).kind, 'accepted')
  clock.advance(1)
  assert.equal((await known.ask(joe, main)).kind, 'unknown')
})

test('nothing on the disk names anybody', async (t) => {
  const { start, stop, folder } = await make(t)
  const known = await start()
  const name = mailbox('zaphod.beeblebrox@heart-of-gold.example')
  known.delivered(name)
  known.refused(name, main, { code: 550, text: `no ZAPHOD.beeblebrox@heart-of-gold.example here, Zaphod.Beeblebrox` })
  await stop()
  const disk = (await readFile(join(folder, 'store.db'))).toString('latin1').toLowerCase()
  assert.ok(!disk.includes('beeblebrox'))
  assert.ok(!disk.includes('heart-of-gold'))
  assert.equal((await stat(join(folder, 'recipients.key'))).mode & 0o777, 0o600)
})

test('numbers are bounded, the oldest go', async (t) => {
  const { start, stop, clock, folder } = await make(t, limits(3, 5, 2))
  const known = await start()
  const to = (number: number) => mailbox(`u${number}@d${Math.floor(number / 4)}.test`)
  for (let number = 0; number < 8; number++) {
    known.delivered(to(number))
    known.refused(to(number), main, said)
    clock.advance(10)
    await known.flush()
  }
  const kinds = []
  for (let number = 0; number < 8; number++) kinds.push((await known.ask(to(number), main)).kind)
  // Of each domain its last three; of six in all the last five.
  assert.deepEqual(
    kinds.map((kind) => kind === 'accepted'),
    [false, false, true, true, false, true, true, true],
  )
  await stop()
  const db = new DatabaseSync(join(folder, 'store.db'))
  assert.equal(db.prepare('SELECT count(*) AS held FROM known WHERE kind = 0').get()?.held, 2)
  db.close()
})

test('a damaged secret is told, not replaced in silence', async (t) => {
  const { start, folder } = await make(t)
  await writeFile(join(folder, 'recipients.key'), 'short')
  await assert.rejects(start(), /recipients\.key does not hold 32 octets/)
})

test('what was only asked for takes no place of those that mail was delivered to, and one that is delivered to keeps its own', async (t) => {
  const { start, clock } = await make(t, limits(2, 4, 2))
  const known = await start()
  const [ann, bob] = [mailbox('ann@example.test'), mailbox('bob@example.test')]
  known.delivered(ann)
  known.accepted(bob, stranger(1))
  await known.flush()
  clock.advance(10)
  known.delivered(bob)
  await known.flush()
  for (let number = 0; number < 6; number++) {
    clock.advance(10)
    known.accepted(mailbox(`ann+${number}@example.test`), stranger(2))
    known.accepted(bob, stranger(2))
    await known.flush()
  }
  const kinds = []
  for (const name of ['ann', 'bob', 'ann+3', 'ann+4', 'ann+5'])
    kinds.push((await known.ask(mailbox(`${name}@example.test`), main)).kind)
  assert.deepEqual(kinds, ['accepted', 'accepted', 'unknown', 'accepted', 'accepted'])
})

test('without a message one network teaches a hundred an hour, and another one goes on', async (t) => {
  const { start, clock } = await make(t)
  const known = await start()
  const kindOf = async (name: string) => (await known.ask(mailbox(`${name}@example.test`), main)).kind
  for (let number = 0; number < 101; number++) known.accepted(mailbox(`u${number}@example.test`), stranger(1))
  assert.deepEqual([await kindOf('u99'), await kindOf('u100')], ['accepted', 'unknown'])
  known.accepted(mailbox('u100@example.test'), stranger(2))
  assert.equal(await kindOf('u100'), 'accepted')
  // It is no less known for having been asked for in vain.
  known.accepted(joe, stranger(1))
  known.delivered(joe)
  assert.equal(await kindOf('joe'), 'accepted')
  clock.advance(2 * 3_600_000)
  known.accepted(mailbox('later@example.test'), stranger(1))
  assert.equal(await kindOf('later'), 'accepted')
})

test('what finds no room while it waits for the disk counts against no network', async (t) => {
  const { start } = await make(t)
  const known = await start()
  // As many as may wait, within one turn: nothing is written before the first await.
  for (let number = 0; number < 20_000; number++) known.delivered(mailbox(`d${number}@example.test`))
  for (let number = 0; number < 100; number++) known.accepted(mailbox(`u${number}@example.test`), stranger(1))
  await known.flush()
  known.accepted(mailbox('u0@example.test'), stranger(1))
  assert.equal((await known.ask(mailbox('u0@example.test'), main)).kind, 'accepted')
})

test('what had to make room is learnt again at the next message for it', async (t) => {
  const { start, clock } = await make(t, limits(1, 4, 2))
  const known = await start()
  const ann = mailbox('ann@example.test')
  for (const each of [joe, ann, joe]) {
    known.delivered(each)
    await known.flush()
    clock.advance(10)
  }
  assert.deepEqual([(await known.ask(joe, main)).kind, (await known.ask(ann, main)).kind], ['accepted', 'unknown'])
})

test('who was delivered to on two occasions is not pushed out by who was once, and leaves room for these', async (t) => {
  const { start, stop, clock } = await make(t, limits(5, 10, 2))
  const known = await start()
  const to = (name: string) => mailbox(`${name}@example.test`)
  const isKnown = async (name: string) => (await known.ask(to(name), main)).kind === 'accepted'
  const deliver = async (...names: readonly string[]) => {
    for (const name of names) known.delivered(to(name))
    await known.flush()
    clock.advance(10)
  }
  const flood = Array.from({ length: 20 }, (_, number) => `made-up-${number}`)
  await deliver('ann', 'bob')
  clock.advance(day / 4)
  await deliver('ann')
  for (const name of flood) await deliver(name)
  // Bob was delivered to once, like those that came after him.
  const left = await Promise.all(['ann', 'bob', ...flood.slice(-4)].map(isKnown))
  assert.deepEqual(left, [true, false, true, true, true, true])

  clock.advance(day / 4)
  await deliver(...flood.slice(-4))
  await deliver('new')
  // Of five who come again one has to go, and that is who did so longest ago.
  const now = await Promise.all(['ann', ...flood.slice(-4), 'new'].map(isKnown))
  assert.deepEqual(now, [false, true, true, true, true, true])
  await deliver('newer')
  assert.deepEqual([await isKnown('new'), await isKnown('newer')], [false, true])
  await stop()
})

test('a short time apart is one occasion, also across restarts, and does not begin anew each time', async (t) => {
  const { start, stop, clock } = await make(t, limits(2, 10, 2))
  const ann = mailbox('ann@example.test')
  // Nobody remembers across a restart what was told lately, so it is told each time.
  const hourly = async (hours: number, ...of: readonly (typeof joe)[]) => {
    for (let hour = 0; hour < hours; hour++) {
      const known = await start()
      for (const each of of) known.delivered(each)
      await stop()
      clock.advance(3_600_000)
    }
  }
  await hourly(4, joe)
  await hourly(3, joe, ann)
  const known = await start()
  for (const name of ['bob', 'eve']) {
    known.delivered(mailbox(`${name}@example.test`))
    await known.flush()
    clock.advance(10)
  }
  assert.deepEqual([(await known.ask(joe, main)).kind, (await known.ask(ann, main)).kind], ['accepted', 'unknown'])
  await stop()
})

test('who is asked for each day becomes no less regular by it, and is known for 31 days from the last delivery', async (t) => {
  const { start, stop, clock } = await make(t, limits(5, 10, 2))
  const known = await start()
  const ann = mailbox('ann@example.test')
  const isKnown = async () => (await known.ask(ann, main)).kind === 'accepted'
  const tell = async (kind: 'accepted' | 'delivered', recipient = ann) => {
    if (kind === 'accepted') known.accepted(recipient, stranger(1))
    else known.delivered(recipient)
    await known.flush()
  }
  for (let days = 0; days < 3; days++) {
    await tell('accepted')
    clock.advance(day / 8)
    await tell('delivered')
    clock.advance((7 * day) / 8)
  }
  for (let number = 0; number < 20; number++) {
    clock.advance(10)
    await tell('delivered', mailbox(`made-up-${number}@example.test`))
  }
  assert.ok(await isKnown())

  clock.advance(29 * day)
  await tell('accepted')
  assert.ok(await isKnown())
  clock.advance(2 * day)
  assert.ok(!(await isKnown()))
  // What it was is over: it is known anew, as one that was only accepted.
  await tell('accepted')
  assert.ok(await isKnown())
  clock.advance(31 * day - 1)
  assert.ok(await isKnown())
  clock.advance(1)
  assert.ok(!(await isKnown()))
  await stop()
})
