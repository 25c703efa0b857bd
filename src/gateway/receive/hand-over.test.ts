import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { collectLog } from '../../../test/lab/log.ts'
import { until } from '../../../test/lab/until.ts'
import { message } from '../../../test/unit/deliver.ts'
import { lane, mailbox } from '../../../test/unit/held-message.ts'
import { seededRandom } from '../../base/random.ts'
import { reply } from '../../mail/reply.ts'
import type { Settlement } from '../../queue/queue.ts'
import { holdPolicy } from '../../routing/hold-policy.ts'
import { createWriteDown } from '../settle/write-down.ts'
import { type HandOverDeps, handOver } from './hand-over.ts'
import type { Leg } from './leg.ts'

/** A route whose backend says so to one recipient. */
function leg(name: string, said: { readonly kind: 'accepted' | 'said'; readonly code: number }): Leg {
  const recipient = mailbox(`you@${name}`)
  const answer = { kind: said.kind, by: 'backend', reply: reply(said.code, '5.7.1', 'so it is') }
  const endpoint = { backend: { key: name, url: name }, target: { kind: 'unix', path: name } }
  return {
    cut: {
      route: { id: name },
      deliver: async () => ({ kind: 'answered', endpoint, answers: [{ recipient, answer }], owed: undefined }),
    },
    way: { lane: lane(name), policy: holdPolicy({}, {}) },
    domain: undefined,
    recipients: [{ recipient, domain: undefined, wasKnown: false }],
  } as unknown as Leg
}

function keepingAll(settled: Settlement[] = []) {
  return {
    hold: { keep: async () => ({ kind: 'kept' }) },
    queue: { settle: async (settlement: Settlement) => void settled.push(settlement) },
    writeDown: {
      surely: (_: unknown, write: () => Promise<void>) => write(),
      soon: (_: unknown, write: () => Promise<void>) => write().then(() => true),
    },
    afterHold: { refused: async () => undefined },
    random: seededRandom(1),
    mayGo: () => undefined,
  }
}

test('of several legs each tells its own answer, and what the sender heard where that is another', async () => {
  const { log, find } = collectLog()
  const deps = { clock: createFakeClock(), log, holdForSenders: keepingAll() } as unknown as HandOverDeps
  const yes = leg('taken.test', { kind: 'accepted', code: 250 })
  const no = (name: string, code: number) => leg(name, { kind: 'said', code })
  const told = (event: string) => find(event).map(({ fields }) => [fields?.reply, fields?.senderHeard])
  assert.equal((await handOver(message('x\r\n'), [yes, no('refused.test', 550)], () => false, deps)).code, 250)
  assert.deepEqual(told('delivered'), [['250 5.7.1 so it is', undefined]])
  assert.deepEqual(told('refused'), [['550 5.7.1 so it is', 250]])
  // Refused by all: it hears the first of them.
  const both = [no('one.test', 550), no('two.test', 554)]
  assert.equal((await handOver(message('x\r\n'), both, () => false, deps)).code, 550)
  assert.deepEqual(told('refused').slice(1), [
    ['550 5.7.1 so it is', undefined],
    ['554 5.7.1 so it is', 550],
  ])
})

test('a refusal that cannot be settled makes of a recipient what may go, unless others have moved it meanwhile', async () => {
  const settled: Settlement[] = []
  const holdForSenders = {
    ...keepingAll(settled),
    afterHold: {
      async refused() {
        throw new TypeError('a bug, in this test')
      },
    },
  }
  const deps = { clock: createFakeClock(), log: collectLog().log, holdForSenders } as unknown as HandOverDeps
  const legs = [leg('taken.test', { kind: 'accepted', code: 250 }), leg('refused.test', { kind: 'said', code: 550 })]
  assert.equal((await handOver(message('x\r\n'), legs, () => false, deps)).code, 250)
  await until(() => settled.length === 2)
  assert.deepEqual(settled[1]?.recipients, [{ index: 1, from: ['offered'], to: { kind: 'ready' } }])
})

test('a session that is silent behind our dot is let go where what it may have cannot be written down', async () => {
  const bug = async () => {
    throw new TypeError('a bug, in this test')
  }
  const handed = async (broken: object, other?: Leg) => {
    const told: string[] = []
    const silent = leg('silent.test', { kind: 'said', code: 451 })
    const late = { letGo: () => void told.push('let go') }
    const carried = {
      ...{ kind: 'unknown', answers: [], waitedMs: 0, owed: undefined, late },
      endpoint: { backend: { key: 'silent', url: 'silent' }, target: { kind: 'unix', path: 'silent' } },
      fault: { kind: 'timeout', step: 'dot', reply: undefined, detail: 'silence' },
    }
    Object.assign(silent.cut, { deliver: async () => carried })
    const clock = createFakeClock()
    const { log } = collectLog()
    const holdForSenders = {
      ...keepingAll(),
      lateWatch: { listen: () => void told.push('listened to') },
      writeDown: createWriteDown({ clock, log, whenWritable: () => undefined }),
      ...broken,
    }
    const deps = { clock, log, holdForSenders } as unknown as HandOverDeps
    const legs = other ? [silent, other] : [silent]
    await handOver(message('x\r\n'), legs, () => false, deps).catch((error: unknown) => {
      if (!(error instanceof TypeError)) throw error
    })
    return told
  }
  const other = leg('taken.test', { kind: 'accepted', code: 250 })
  assert.deepEqual(await handed({}), ['listened to'])
  assert.deepEqual(await handed({ hold: { keep: bug } }), ['let go'])
  assert.deepEqual(await handed({}, other), ['listened to'])
  assert.deepEqual(await handed({ queue: { settle: bug } }, other), ['let go'])
})
