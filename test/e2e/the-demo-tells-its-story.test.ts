/** `waypost demo`: the whole story without a terminal, at a fast pace; and that nothing is left of it, however it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemo } from '../lab/demo.ts'
import { until } from '../lab/until.ts'

const fast = ['--speed', '20', '--rate', '20']

/** A line of the story: the counts in front of it, and what happens. */
const lines = (text: string) =>
  [...text.matchAll(/^ *\d+:\d\d +(\d+) +(\d+) +(\d+) {2}(.+)$/gm)].map(([, sent, delivered, held, what]) => ({
    sent: Number(sent),
    delivered: Number(delivered),
    held: Number(held),
    what: what ?? '',
  }))

test('one slow, one dead, all dead, one back, all back: no message is lost, and nothing is left', async (t) => {
  const demo = await startDemo(t, fast)
  assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.text)

  const told = lines(demo.text)
  const stages = [
    /^Mail flows/,
    /^Backend 2 becomes slow/,
    /^Of \d+ messages backend 2 got \d+/,
    /^Backend 2 dies/,
    /^The gateway finds backend 2 down: its mail goes to backends 1 and 3/,
    /^Backend 2 comes back/,
    /^The gateway finds backend 2 up/,
    /^All three backends die/,
    /nobody is left, so mail is held/,
    /^\d+ messages held, with nobody to deliver to. No sender was turned away/,
    /^Backend 1 comes back/,
    /^The gateway finds backend 1 up: \d+ held messages go there now/,
    /^Nothing is held any more: all \d+ have arrived/,
    /^Backends 2 and 3 come back/,
    /^The sender stops/,
  ]
  let at = -1
  for (const stage of stages) {
    const found = told.findIndex(({ what }, index) => index > at && stage.test(what))
    assert.ok(found > at, `${stage} is told in its turn:\n${demo.text}`)
    at = found
  }
  const held = told.find(({ what }) => /with nobody to deliver to/.test(what))?.held ?? 0
  assert.ok(held >= 10, `${held} are held while nobody is there`)
  assert.equal(told.findLast(({ what }) => /Nothing is held any more/.test(what))?.held, 0)
  for (const { sent, delivered } of told) assert.ok(delivered <= sent)

  const proof = /^(\d+) messages sent, (\d+) delivered once, 0 lost\.$/m.exec(demo.text)
  assert.ok(proof, demo.text)
  assert.equal(proof[1], proof[2])
  assert.deepEqual(await demo.leftBehind(), [])
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends it in order`, async (t) => {
    const demo = await startDemo(t, ['--rate', '20'])
    await demo.says(/Mail flows/)
    demo.signal(signal)
    assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.text)
    assert.match(demo.text, /^\d+ messages? sent, \d+ delivered once, 0 lost\.$/m)
    assert.deepEqual(await demo.leftBehind(), [])
  })
}

test('its dashboard is there as long as it runs', async (t) => {
  const demo = await startDemo(t, ['--rate', '20'])
  await demo.says(/Mail flows/)
  const [, place] = /^(http:\/\/127\.0\.0\.1:\d+)\/enter#\S+$/m.exec(demo.text) ?? []
  assert.ok(place, demo.text)
  const page = await fetch(`${place}/`)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<html/)
  demo.signal('SIGINT')
  await demo.exited
  await assert.rejects(fetch(`${place}/`))
})

test('killed outright, it leaves no folder either', async (t) => {
  const demo = await startDemo(t, fast)
  await demo.says(/Mail flows/)
  assert.equal((await demo.leftBehind()).length, 1)
  demo.signal('SIGKILL')
  await demo.exited
  await until(async () => (await demo.leftBehind()).length === 0, 60_000, 'the folder goes')
})

test('an option that is out of range is refused, and nothing is begun', async (t) => {
  const demo = await startDemo(t, ['--rate', '1000'])
  assert.deepEqual(await demo.exited, { code: 2, signal: null })
  assert.match(demo.text, /whole number from 1 to 20/)
  assert.deepEqual(await demo.leftBehind(), [])
})
