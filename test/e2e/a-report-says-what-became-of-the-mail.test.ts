/** `waypost report`: out of figures that outlive the process. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Report } from '../../src/watch/report/report.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost } from '../lab/process.ts'

test('messages, an outage with what was held, and availability, over a restart and from a stopped gateway', async (t) => {
  const lab = await startLab(t, 240_000)
  const backend = await lab.backend({
    afterDot: ({ content }) => (String(content).includes('spam') ? '554 5.7.1 no thanks' : undefined),
  })
  const config = { domains: { 'example.test': { deliver: [backend] } } }
  const first = await lab.process({ config })
  for (let number = 0; number < 3; number++) await lab.send({ to: 'you@example.test', body: 'hello' })
  await lab.send({ to: 'you@example.test', body: 'spam' })
  await backend.kill()
  assert.equal((await lab.send({ to: 'you@example.test', body: 'keep me' })).code, 250)
  await backend.restart()
  await lab.until(() => first.lines.some((line) => line.event === 'drained'), 60_000)
  await first.stop()

  const second = await lab.process({ config, after: first })
  await lab.send({ to: 'you@example.test', body: 'hello again' })
  const asked = await callWaypost(second, 'report', 'example.test', '--json')
  assert.equal(asked.code, 0, asked.stderr)
  const { messages, outages, latency } = JSON.parse(asked.stdout) as Report
  assert.deepEqual([messages.delivered, messages.refused, messages.held, messages.drained], [4, 1, 1, 1])
  assert.ok((latency.p95Ms ?? 0) > 0)
  const mail = outages.filter(({ kind }) => kind === 'mail')
  assert.equal(mail.length, 1)
  assert.deepEqual([mail[0]?.held, mail[0]?.drained], [1, 1])
  await second.stop()

  const page = join(lab.folder, 'report.html')
  const written = await callWaypost(second, 'report', 'example.test', '--since', '1d', '--html', page)
  assert.deepEqual([written.code, written.stdout, written.stderr], [0, '', `Written: ${page}\n`])
  const text = await callWaypost(second, 'report', 'example.test', '--since', '1d')
  assert.equal(text.code, 0, text.stderr)
  assert.match(text.stdout, /delivered at once +4/)
  assert.match(text.stdout, /1 message held/)
  assert.match(await readFile(page, 'utf8'), /^<!doctype html>[\s\S]*Mail for example\.test/)

  const unknown = await callWaypost(second, 'report', 'nowhere.test')
  assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
  assert.match(unknown.stderr, /nowhere\.test is not declared in waypost\.yaml, and nothing is known of it/)
  const wrong = await callWaypost(second, 'report', 'example.test', '--since', 'yesterday')
  assert.equal(wrong.code, 2)
})
