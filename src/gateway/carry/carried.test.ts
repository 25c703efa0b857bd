import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recipient } from '../../mail/message.ts'
import { reply } from '../../mail/reply.ts'
import { answerFor, outage, takenByNobody } from './carried.ts'
import { type Nobody, routeIsOut } from './line-up.ts'

const recipient = (localPart: string) => ({ localPart, text: `${localPart}@example.test` }) as Recipient
const [a, b] = [recipient('a'), recipient('b')]
const [unknown, full] = [reply(550, '5.1.1', 'a is unknown'), reply(552, '5.2.2', 'b is full')]
const refused = (...replies: (typeof unknown)[]): Nobody => ({
  kind: 'nobody',
  why: 'refused',
  reply: unknown,
  replies,
})

test('those who are refused when they are said again have each his own words', () => {
  const carried = takenByNobody(refused(unknown, full), [a, b])
  assert.deepEqual([answerFor(carried, a)?.reply, answerFor(carried, b)?.reply], [unknown, full])
})

test('what was said of some of them is a refusal of nobody: there is one more now, of whom nothing was said', () => {
  const carried = takenByNobody(refused(unknown), [a, b])
  assert.deepEqual([answerFor(carried, a)?.kind, answerFor(carried, b)?.kind], ['outage', 'outage'])
})

test('where nobody was asked, all hear the same', () => {
  const carried = takenByNobody(routeIsOut, [a, b])
  assert.deepEqual([answerFor(carried, a), answerFor(carried, b)], [outage, outage])
})
