import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFakeClock } from '../../../test/lab/fake-clock.ts'
import { parseIp } from '../../base/ip.ts'
import type { Credential } from './credential.ts'
import { createSecrets } from './secrets.ts'

const names = ['one', 'two', 'three']
/** The key of each is its secret. */
const access: readonly Credential[] = names.map((name) => ({
  ...{ name, role: 'view' },
  hash: { cost: 14, salt: '', key: `secret of ${name}` },
}))

const address = (text: string) => parseIp(text) ?? assert.fail(text)

function start() {
  const clock = createFakeClock()
  let judged = 0
  const secrets = createSecrets(
    clock,
    () => access,
    async (secret, { key }) => {
      judged++
      return secret === key
    },
  )
  const judge = async (name: string, secret: string, from = '192.0.2.1') =>
    (await secrets.judge(name, secret, address(from))).kind
  const guess = async (name: string, times: number) => {
    for (let time = 0; time < times; time++) await judge(name, `guess ${time}`)
  }
  return { clock, judge, guess, judged: () => judged }
}

test('ten wrong ones of a name lock out that name from there, and nobody else', async () => {
  const { clock, judge, guess } = start()
  await guess('one', 10)
  assert.equal(await judge('one', 'secret of one'), 'too-often')
  assert.equal(await judge('one', 'secret of one', '192.0.2.2'), 'right')
  assert.equal(await judge('two', 'secret of two'), 'right')
  clock.advance(2 * 60_000)
  assert.equal(await judge('three', 'secret of three'), 'right')
})

test('sixty of whatever names, and nobody is judged from there but who was right before', async () => {
  const { judge, guess, judged } = start()
  assert.equal(await judge('one', 'secret of one'), 'right')
  for (let number = 0; number < 60; number++) await guess(`nobody${number}`, 1)
  const before = judged()
  assert.equal(await judge('two', 'secret of two'), 'too-often')
  assert.equal(await judge('nobody60', 'guess'), 'too-often')
  assert.equal(await judge('one', 'secret of one'), 'right')
  assert.equal(judged(), before)
})

test('right ones are no guesses, and one is remembered for twelve hours behind its last use', async () => {
  const { clock, judge, judged } = start()
  for (let time = 0; time < 30; time++) assert.equal(await judge('one', 'secret of one'), 'right')
  assert.equal(judged(), 1)
  for (let hours = 0; hours < 3; hours++) {
    clock.advance(11 * 60 * 60_000)
    assert.equal(await judge('one', 'secret of one'), 'right')
  }
  assert.equal(judged(), 1)
  clock.advance(13 * 60 * 60_000)
  assert.equal(await judge('one', 'secret of one'), 'right')
  assert.equal(judged(), 2)
})

test('many addresses of a network are no way around the limits', async () => {
  const { judge, judged } = start()
  for (let last = 1; last <= 60; last++)
    for (let time = 0; time < 10; time++) await judge(`nobody${last} ${time}`, 'guess', `192.0.2.${last}`)
  assert.equal(judged(), 240)
  assert.equal(await judge('one', 'secret of one', '192.0.2.100'), 'too-often')
  assert.equal(await judge('one', 'secret of one', '198.51.100.1'), 'right')
  for (let last = 1; last <= 5; last++)
    for (let time = 0; time < 10; time++) await judge('two', 'guess', `2001:db8:0:${last}::1`)
  assert.equal(judged(), 240 + 1 + 40)
})

/** Judges of whom each takes its time: until it is told. */
function startSlowly() {
  const judging: { readonly secret: string; readonly end: () => void }[] = []
  const secrets = createSecrets(
    createFakeClock(),
    () => access,
    (secret, { key }) =>
      new Promise((end) => {
        judging.push({ secret, end: () => end(secret === key) })
      }),
  )
  const heard: string[] = []
  const say = (name: string, secret: string, from: string) =>
    void secrets.judge(name, secret, address(from)).then(({ kind }) => heard.push(`${name} ${kind}`))
  const turns = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  return { judging, heard, say, turns }
}

test('guesses under names that nobody has, from everywhere, do not keep out who knows a secret', async () => {
  const { judging, heard, say, turns } = startSlowly()
  for (let network = 1; network <= 60; network++) say('nobody', 'guess', `10.0.${network}.1`)
  await turns()
  assert.deepEqual([judging.length, heard.length], [2, 60 - 2 - 10])
  assert.ok(heard.every((word) => word === 'nobody busy'))
  say('one', 'secret of one', '192.0.2.1')
  judging[0]?.end()
  await turns()
  // It comes before those that wait.
  assert.equal(judging[2]?.secret, 'secret of one')
  judging[2]?.end()
  await turns()
  assert.equal(heard.at(-1), 'one right')
})

test('one network has half of the places to wait in, whatever the names', async () => {
  const { judging, heard, say, turns } = startSlowly()
  for (let last = 1; last <= 20; last++) say('one', 'guess', `192.0.2.${last}`)
  await turns()
  assert.deepEqual([judging.length, heard.length], [2, 20 - 2 - 10])
  say('two', 'secret of two', '198.51.100.1')
  await turns()
  assert.equal(heard.includes('two busy'), false)
})

test('never more than two are judged at once, also where one comes as another ends', async () => {
  const { judging, heard, say, turns } = startSlowly()
  let ended = 0
  for (let number = 1; number <= 4; number++) say('one', 'guess', `10.0.${number}.1`)
  await turns()
  for (let number = 10; number < 14; number++) {
    judging[ended++]?.end()
    say('two', 'guess', `10.0.${number}.1`)
    await turns()
    assert.equal(judging.length - ended, 2)
  }
  while (ended < judging.length) {
    judging[ended++]?.end()
    await turns()
  }
  assert.equal(heard.length, 8)
})
