/**
 * Every version of the tables that there ever was, as the program of its time wrote them (`test/fixtures/store/ROOM-VERSION.sql`): the program of
 * today reads them and goes on with them. Whoever adds a migration adds what the version before wrote.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { heldId, heldMessage, lane, mailbox } from '../../../test/unit/held-message.ts'
import { contentOf } from '../../../test/unit/queue-contract/made-queue.ts'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { openStore } from '../../store/open.ts'
import { recipientStates } from '../queue.ts'
import { knownModule, openKnownRecipients } from './known.ts'
import { storeModule as known } from './known-tables.ts'
import { openSqliteQueue, queueModule } from './queue.ts'
import { storeModule as queue } from './tables.ts'

const versions = (migrations: readonly string[]) => migrations.map((_, index) => index + 1)

async function openWritten(t: TestContext, room: string, version: number) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-earlier-'))
  const written = await readFile(
    new URL(`../../../test/fixtures/store/${room}-${version}.sql`, import.meta.url),
    'utf8',
  )
  const database = new DatabaseSync(join(folder, 'store.db'))
  database.exec(written)
  database.close()
  // As it was when the fixture was written: without it the keys say nothing.
  await writeFile(join(folder, 'recipients.key'), Buffer.alloc(32, 7))
  const opened = await openStore({ folder, modules: [queueModule, knownModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  t.after(async () => {
    await opened.store.close()
    await rm(folder, { recursive: true, force: true })
  })
  return opened.store
}

for (const version of versions(queue.migrations))
  test(`what version ${version} held is there, whole, and goes on`, async (t) => {
    const corrupt: string[] = []
    const held = await openSqliteQueue(await openWritten(t, 'queue', version), {
      clock: createFakeClock(),
      limits: () => ({ holdBytes: undefined, freeBytes: 0 }),
      corrupt: (id) => void corrupt.push(id),
      dropped: () => undefined,
    })
    t.after(() => held.close())
    await held.swept
    const { messages } = await held.list({}, 100)
    // One in each state; a transaction that was under way when the process ended is nobody's any more.
    assert.deepEqual(
      messages.map(({ recipients }) => recipients[0]?.state).sort(),
      recipientStates.map((state) => (state === 'offered' ? 'ready' : state)).sort(),
    )
    for (const { message, recipients } of messages) {
      const state = recipients[0]?.state
      const content = (await contentOf(held, message.id)).toString('latin1')
      if (recipients.length === 1) {
        assert.match(content, /^To: you\r\n/)
        continue
      }
      assert.equal(content, `To: you\r\n\r\n${state} h\xe9\r\n`)
      assert.equal(message.envelope.sender?.text, state === 'held' ? undefined : 'joe@sender.example')
      assert.equal(message.client?.tls?.version, 'TLSv1.3')
      assert.equal(recipients[1]?.recipient.text, '"quoted local"@other.test')
      assert.deepEqual(recipients[0]?.lastReply, { code: 451, enhanced: '4.3.0', text: ['later', 'please'] })
      assert.equal((await held.get(message.id))?.attempts.length, 1)
    }
    assert.deepEqual(corrupt, [])
    assert.equal((await held.next(lane('second'), 10, new Set())).length, 9)
    const [task] = await held.next(lane('main'), 10, new Set())
    assert.equal(task?.message.id, heldId(1))
    await held.settle({ id: heldId(1), recipients: [0, 1].map((index) => ({ index, to: { kind: 'gone' } })) })
    assert.equal(await held.get(heldId(1)), undefined)
    assert.deepEqual(await held.hold(heldMessage({ id: heldId(99) })), { kind: 'held' })
    assert.equal(held.totals.messages, 10)
  })

for (const version of versions(known.migrations))
  test(`what version ${version} knew of recipients is known`, async (t) => {
    const clock = createFakeClock()
    const store = await openWritten(t, 'known', version)
    const recipients = await openKnownRecipients(store, { clock, random: systemRandom })
    t.after(() => recipients.close())
    assert.deepEqual(await recipients.ask(mailbox('joe@example.test'), lane('main')), { kind: 'accepted' })
    const nobody = mailbox('nobody@example.test')
    const said = await recipients.ask(nobody, lane('main'))
    assert.deepEqual(
      [said.kind, said.kind === 'refused' && said.text],
      ['refused', '5.1.1 nobody@example.test is unknown here'],
    )
    recipients.delivered(nobody)
    assert.deepEqual(await recipients.ask(nobody, lane('main')), { kind: 'accepted' })
  })
