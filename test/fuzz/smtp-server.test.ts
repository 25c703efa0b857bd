/**
 * Whole sessions of pieces from a kept corpus, in any order and cut anyhow, against a real server: every message that it takes has
 * clean line ends, every reply is one, no session is left, and the server serves the next sender.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { hurriedClock, Sender, startServer } from '../lab/smtp-server.ts'
import { until } from '../lab/until.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'

/** One piece a line, as JSON strings. */
const pieces = readFileSync(new URL('./corpus/smtp-server/pieces.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as string)

test('300 sessions', async (t) => {
  const rounds = fuzzRounds(300)
  const server = await startServer(t, { clock: hurriedClock(), isTls: true, limits: { messageBytes: 4_000 } })
  const random = fuzzRandom(11)
  const pick = (most: number) => Math.floor(random.number() * most)
  for (let round = 0; round < rounds; round++) {
    const sender = await Sender.dial(t, server.port)
    await sender.expect(/^220/)
    sender.send('EHLO fuzz\r\n')
    await sender.expect(/^250 STARTTLS\r\n/m)
    for (let count = pick(12); count >= 0; count--) {
      const piece = pieces[pick(pieces.length)] ?? ''
      const cut = pick(piece.length + 1)
      sender.send(piece.slice(0, cut))
      if (pick(2) === 0) await new Promise((resolve) => setImmediate(resolve))
      sender.send(piece.slice(cut))
      if (pick(2) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    sender.fin()
    const heard = await sender.rest()
    // A TLS alert may follow what was said behind STARTTLS.
    assert.match(heard.split('220 2.0.0')[0] ?? '', /^([2345]\d\d[ -][\x20-\x7e]*\r\n)*$/)
    await until(() => server.server.sessions === 0)
  }
  for (const message of server.messages) {
    assert.doesNotMatch(message, /\r(?!\n)|(?<!\r)\n|\0/)
    assert.ok(message === '' || message.endsWith('\r\n'))
  }
  assert.equal(server.calls.filter((call) => call === 'closed').length, rounds)
  const opened = server.calls.filter((call) => call === 'data').length
  assert.equal(server.calls.filter((call) => call === 'end' || call.startsWith('abort')).length, opened)
})
