import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { until } from '../../../test/lab/until.ts'
import { lane, mailbox } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import type { Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'
import { type Settlement, StoreFailure } from '../../queue/queue.ts'
import type { GatewayEvent } from '../events.ts'
import type { RefusedAfterHold } from '../notices/after-hold.ts'
import type { HeldBefore } from '../put-off.ts'
import { createToldSparingly } from '../told-sparingly.ts'
import { createLateWatch, type LateWatchDeps, type Watched } from './late-watch.ts'

const watched = {
  id: 'late',
  way: { lane: lane('example.test'), route: { id: 'example.test' }, policy: {} },
  endpoint: { backend: { key: 'lmtp:/run/lmtp', url: 'lmtp:/run/lmtp' }, target: { kind: 'unix', path: '/run/lmtp' } },
  recipients: [0, 1].map((index) => ({ index, held: { wasKnown: false, attempts: 0 } })),
  owed: 'relayed',
  untilMs: 600_000,
} as unknown as Watched

/**
 * @param deps  what does not work
 * @param held  what is known of both recipients from before the dot
 */
function hearing(
  replies: readonly Reply[],
  deps: Partial<LateWatchDeps['queue']> = {},
  held: Partial<HeldBefore> = {},
) {
  const settled: Settlement[] = []
  const refused: number[] = []
  const behind: (string | undefined)[] = []
  const events: GatewayEvent[] = []
  const delivered: string[] = []
  const { log, find } = collectLog()
  const clock = createFakeClock()
  const entry = {
    message: { size: 7, receivedMs: 0 },
    recipients: [{ index: 0, recipient: mailbox('you@example.test') }],
  }
  const watch = createLateWatch({
    clock,
    random: seededRandom(1),
    log,
    sparingly: createToldSparingly({ clock, log }),
    tell: (event: GatewayEvent) => void events.push(event),
    queue: { get: async () => entry, settle: async (settlement: Settlement) => void settled.push(settlement), ...deps },
    writeDown: { surely: (_: unknown, write: () => Promise<unknown>) => write() },
    afterHold: {
      async refused(these: RefusedAfterHold) {
        refused.push(...these.refused.map(({ index }) => index))
        behind.push(these.behind)
      },
    },
    successes: { drained: async () => undefined },
    onDelivered: ({ text }: Recipient) => void delivered.push(text),
    onHeld: () => undefined,
  } as unknown as LateWatchDeps)
  const recipients = watched.recipients.map((each) => ({ ...each, held: { ...each.held, ...held } }))
  watch.listen({ ...watched, recipients }, { wait: async () => replies, letGo: () => undefined })
  return { settled, refused, behind, events, delivered, find }
}

const yes = reply(250, '2.0.0', 'taken')
const unreadable = async () => {
  throw new StoreFailure('io', 'the disk is broken')
}

test('a late yes is written down though the message cannot be read', async () => {
  const { settled, events, find } = hearing([yes], { get: unreadable })
  await until(() => events.length === 1)
  assert.deepEqual(
    settled.map(({ recipients, dsn }) => [recipients.map(({ index, to }) => [index, to.kind]), dsn]),
    [
      [
        [
          [0, 'gone'],
          [1, 'gone'],
        ],
        undefined,
      ],
    ],
  )
  assert.equal(events[0]?.kind === 'attempt' && events[0].outcome, 'delivered')
  assert.equal(find('held message not read').length, 1)
})

test('of LMTP each says its own: all of it is told, and what is settled says what was said of it', async () => {
  const no = reply(550, '5.7.1', 'not this one')
  const { settled, refused, events, find } = hearing([no, yes])
  await until(() => refused.length === 1)
  assert.deepEqual(refused, [0])
  assert.deepEqual(
    settled.map(({ recipients, attempt }) => [recipients.map(({ index }) => index), attempt?.outcome, attempt?.text]),
    [[[1], 'delivered', 'late: 250 2.0.0 taken']],
  )
  assert.equal(events[0]?.kind === 'attempt' && events[0].outcome, 'delivered')
  assert.equal(find('late verdict')[0]?.fields?.reply, '550 5.7.1 not this one / 250 2.0.0 taken')
})

test('a late no speaks of what is still unknown behind that dot, and of nothing that others have moved', async () => {
  const behind = watched.endpoint.backend.key
  const later = hearing([reply(450, '4.2.0', 'later')])
  await until(() => later.events.length === 1)
  assert.deepEqual(
    later.settled[0]?.recipients.map(({ to, from, behind: where }) => [to.kind, from, where]),
    [0, 1].map(() => ['waiting', ['unknown'], behind]),
  )
  const never = hearing([reply(550, '5.7.1', 'no')])
  await until(() => never.refused.length === 2)
  assert.deepEqual(never.behind, [behind])
})

test('whom a late yes was for is known from then on, and whom a late no was for is not', async () => {
  const said = hearing([yes])
  await until(() => said.events.length === 1)
  assert.deepEqual(said.delivered, ['you@example.test'])
  const refused = hearing([reply(550, '5.1.1', 'nobody here')])
  await until(() => refused.refused.length > 0)
  assert.deepEqual(refused.delivered, [])
})

test('a late word about us is a fault of ours: the mail goes again, nobody is refused, and a person hears of it', async () => {
  for (const code of [521, 530, 535, 538]) {
    const { settled, refused, events, find } = hearing([reply(code, '5.7.0', 'who are you')])
    await until(() => events.some(({ kind }) => kind === 'attempt'))
    assert.deepEqual(refused, [])
    assert.deepEqual(
      settled[0]?.recipients.map(({ to, reply: said }) => [to.kind, said?.code, said?.enhanced]),
      [0, 1].map(() => ['ready', 451, '4.3.5']),
    )
    const [alert] = find('backend refuses us')
    assert.deepEqual(
      [alert?.level, alert?.fields?.backend, alert?.fields?.reply],
      ['alert', 'lmtp:/run/lmtp', `${code} 5.7.0 who are you`],
    )
  }
})

test('a late word that there is no such recipient is believed after a day, where a backend had accepted it', async () => {
  const nobody = reply(550, '5.1.1', 'nobody here')
  const first = hearing([nobody], {}, { wasKnown: true })
  await until(() => first.events.length === 1)
  assert.deepEqual(first.refused, [])
  assert.deepEqual(
    first.settled[0]?.recipients.map(({ to }) => [to.kind, 'firstRefusedMs' in to && to.firstRefusedMs !== undefined]),
    [0, 1].map(() => ['waiting', true]),
  )
  const again = hearing([nobody], {}, { wasKnown: true, firstRefusedMs: -9e15 })
  await until(() => again.refused.length === 2)
})

test('what a backend may have had since an earlier dot stays its own behind a late no, and is counted behind a late yes', async () => {
  const earlier = { backend: 'smtp://earlier', elsewhereMs: 9e15 }
  const no = hearing([reply(450, '4.2.0', 'later')], {}, earlier)
  await until(() => no.events.length === 1)
  assert.deepEqual(
    no.settled[0]?.recipients.map(({ to, behind }) => [to.kind, 'backend' in to && to.backend, behind]),
    [0, 1].map(() => ['unknown', 'smtp://earlier', watched.endpoint.backend.key]),
  )
  const copies = async (held: Partial<HeldBefore>) => {
    const { events } = hearing([yes], {}, held)
    await until(() => events.length === 1)
    return events[0]?.kind === 'attempt' ? events[0].possibleDuplicates : undefined
  }
  assert.deepEqual([await copies(earlier), await copies({})], [2, 0])
})
