/** `waypost demo` in a terminal: the panel, and the keys that kill and revive backends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemoInTerminal } from '../lab/demo.ts'

/** The story has not come to its first mishap for a minute. */
const slowly = ['--speed', '0.1', '--rate', '20']

test('keys kill backends and revive them; q brings what is held to its end', async (t) => {
  const demo = await startDemoInTerminal(t, [...slowly, '--plain'])
  await demo.says(/Mail flows/)
  demo.press('2')
  await demo.says(/You take over: the story stops here\.[\s\S]*You kill backend 2\./)
  await demo.says(/The gateway finds backend 2 down: its mail goes to backends 1 and 3/)
  demo.press('2')
  await demo.says(/You revive backend 2\.[\s\S]*The gateway finds backend 2 up/)
  demo.press('123')
  await demo.says(/nobody is left, so mail is held/)
  demo.press('q')
  await demo.says(/The sender stops/)
  assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.text)
  const proof = /^(\d+) messages sent, (\d+) delivered once, 0 lost\.\r?$/m.exec(demo.text)
  assert.ok(proof, demo.text)
  assert.equal(proof[1], proof[2])
  assert.deepEqual(await demo.leftBehind(), [])
})

test('in a terminal it is a panel that is drawn in place, and q leaves the terminal as it was', async (t) => {
  const demo = await startDemoInTerminal(t, slowly)
  await demo.says(/Waypost demo/)
  await demo.says(/SENT \x1b\[1m\d+[\s\S]*GATEWAY SAYS[\s\S]*● up/)
  // Up again by all of its lines, and never down by more than there are rows.
  await demo.says(/\x1b\[23A\r/)
  demo.press('1')
  await demo.says(/You kill backend 1\.[\s\S]*dead/)
  await demo.says(/✗ down/)
  assert.doesNotMatch(demo.text, /\x1b\[\?25h/, 'the cursor is away')
  demo.press('q')
  assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.text)
  assert.match(demo.text, /\x1b\[\?25h[\s\S]*0 lost/)
  assert.deepEqual(await demo.leftBehind(), [])
})

test('Ctrl-C ends it at once, also while mail is held, and says how much', async (t) => {
  const demo = await startDemoInTerminal(t, [...slowly, '--plain'])
  await demo.says(/Mail flows/)
  demo.press('123')
  await demo.says(/nobody is left, so mail is held/)
  demo.press('\x03')
  assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.text)
  assert.match(demo.text, /^\d+ messages? sent, \d+ delivered once, \d+ still held when it ended, 0 lost\.\r?$/m)
  assert.deepEqual(await demo.leftBehind(), [])
})
