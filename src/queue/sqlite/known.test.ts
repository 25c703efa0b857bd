import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { lane, mailbox } from '../../../test/unit/held-message.ts'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { openStore } from '../../store/open.ts'
import { knownModule, openKnownRecipients } from './known.ts'
import type { KnownLimits } from './known-tables.ts'

const day = 86_400_000
const main = lane('main')
const said = { code: 550, text: '5.1.1 <Joe@example.test>: joe is unknown here' }
const joe = mailbox('joe@example.test')

async function make(t: TestContext, limits?: KnownLimits) {
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
    const known = await openKnownRecipients(opened.store, { clock, random: systemRandom, ...(limits && { limits }) })
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
  again.accepted(joe)
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
  known.accepted(joe)
  known.refused(ann, main, said)
  await known.flush()
  clock.advance(3 * day - 1)
  assert.equal((await known.ask(ann, main)).kind, 'refused')
  clock.advance(1)
  assert.equal((await known.ask(ann, main)).kind, 'unknown')
  known.accepted(joe)
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
  known.accepted(name)
  known.refused(name, main, { code: 550, text: `no ZAPHOD.beeblebrox@heart-of-gold.example here, Zaphod.Beeblebrox` })
  await stop()
  const disk = (await readFile(join(folder, 'store.db'))).toString('latin1').toLowerCase()
  assert.ok(!disk.includes('beeblebrox'))
  assert.ok(!disk.includes('heart-of-gold'))
  assert.equal((await stat(join(folder, 'recipients.key'))).mode & 0o777, 0o600)
})

test('numbers are bounded, the oldest go', async (t) => {
  const { start, stop, clock, folder } = await make(t, { mostOfDomain: 3, mostGood: 5, mostBad: 2 })
  const known = await start()
  const to = (number: number) => mailbox(`u${number}@d${Math.floor(number / 4)}.test`)
  for (let number = 0; number < 8; number++) {
    known.accepted(to(number))
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
  assert.equal(db.prepare('SELECT count(*) AS held FROM known WHERE is_good = 0').get()?.held, 2)
  db.close()
})

test('a damaged secret is told, not replaced in silence', async (t) => {
  const { start, folder } = await make(t)
  await writeFile(join(folder, 'recipients.key'), 'short')
  await assert.rejects(start(), /recipients\.key does not hold 32 octets/)
})
