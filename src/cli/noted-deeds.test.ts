import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import type { ControlAnswer, ControlHandlers } from '../gateway/operate/control.ts'
import type { Move } from '../gateway/operate/deed.ts'
import type { HistoryEvent } from '../watch/history.ts'
import { appliedCommand, migratedCommand, notedDeeds } from './noted-deeds.ts'

function start(answers: Readonly<Record<string, ControlAnswer>>) {
  const clock = createFakeClock()
  const notes: HistoryEvent[] = []
  const handlers: ControlHandlers = Object.fromEntries(
    Object.entries(answers).map(([command, answer]) => [command, () => answer]),
  )
  const noted = notedDeeds(handlers, { clock, history: { note: (event) => void notes.push(event) } })
  const ask = async (command: string, given = {}, by = 'ann') => await noted.handlers[command]?.(given, by)
  return { clock, noted, ask, titles: () => notes.map(({ title }) => title) }
}

const done = (result: unknown): ControlAnswer => ({ kind: 'done', result })

test('a command on very many messages comes in pieces and is one line, also where it is broken off', async () => {
  const { clock, ask, titles } = start({ 'queue.act': done({ messages: 1000, next: '7' }) })
  for (let piece = 0; piece < 3; piece++) await ask('queue.act', { act: 'remove' })
  await ask('queue.act', { act: 'count' })
  assert.deepEqual(titles(), [])
  clock.advance(10_000)
  assert.deepEqual(titles(), ['3,000 held messages removed by ann'])
})

test('what failed, changed nothing or only looks leaves no line', async () => {
  const { ask, noted, titles } = start({
    'backend.drain': { kind: 'failed', why: 'no such backend' },
    'backend.list': done([]),
    'backend.enable': done({ wasSo: true }),
    'queue.act': done({ messages: 0, next: null }),
    'queue.resume': done({ resumed: [] }),
  })
  for (const [command, given] of [
    ['backend.drain', { url: 'smtp://a' }],
    ['backend.list', {}],
    ['backend.enable', { url: 'smtp://a' }],
    ['queue.act', { act: 'retry' }],
    ['queue.resume', {}],
  ] as const)
    await ask(command, given)
  noted.end()
  assert.deepEqual(titles(), [])
})

test('each thing that is done is told with who did it', async () => {
  const { ask, noted, titles } = start({
    'backend.enable': done(null),
    'config.reload': done({}),
    'queue.resume': done({ resumed: ['smtp://a:25', 'smtp://b:25'] }),
    'queue.drop': done(null),
    'queue.bringIn': done({ kind: 'held' }),
  })
  await ask('backend.enable', { url: 'smtp://a:25' })
  await ask('config.reload')
  await ask('queue.resume')
  await ask('queue.drop')
  await ask('queue.bringIn')
  await ask(appliedCommand, { zones: [{ zone: 'example.com', changes: 2 }] })
  assert.deepEqual(await ask(appliedCommand, { zones: 1 }), {
    kind: 'failed',
    why: 'the gateway does not understand this; is it of another version?',
  })
  const moves: readonly Move[] = [
    { kind: 'begun', to: 'fastmail' },
    { kind: 'step', step: 'lower the TTL from 3600 to 300' },
    { kind: 'turned-back' },
    { kind: 'ended-unwritten' },
    { kind: 'forgotten' },
  ]
  for (const move of moves) await ask(migratedCommand, { domain: 'example.com', move })
  assert.equal((await ask(migratedCommand, { domain: 'example.com', move: { kind: 'gone' } }))?.kind, 'failed')
  noted.end()
  assert.deepEqual(titles(), [
    'ann put smtp://a:25 back into service',
    'ann loaded waypost.yaml again',
    'ann let the drain go on to smtp://a:25, smtp://b:25',
    'ann changed 2 record sets of example.com with "waypost apply"',
    'ann began to migrate example.com to fastmail',
    'ann did a step of the migration of example.com: lower the TTL from 3600 to 300',
    'ann turned the migration of example.com back',
    'ann ended the migration of example.com before anything of it was written',
    'ann had the migration of example.com forgotten, and left DNS as it was',
    '1 held message taken out into files by ann',
    '1 held message brought in from files by ann',
  ])
})
