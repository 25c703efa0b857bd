/** `waypost trace`: the story of a message that was cut through, of one that was held, and of one whose log was rotated away. */
import assert from 'node:assert/strict'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { callWaypost as call } from '../lab/process.ts'

const idIn = (content: Uint8Array | undefined) => /\bid ([0-9A-Z]{26})/.exec(String(content))?.[1] ?? assert.fail()

test('a message is followed through the log, its rotation, and the hold', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const config = { log: { file: 'mail.log' }, domains: { 'example.test': { deliver: [backend] } } }
  const running = await lab.process({ config, args: ['--log', 'pretty'] })
  const logFile = join(running.configFile, '..', 'mail.log')
  const logged = async (event: string) =>
    (await readFile(logFile, 'utf8').catch(() => '')).includes(`"event":"${event}"`)

  assert.equal((await lab.send({ to: 'you@example.test', from: 'joe@sender.test' })).code, 250)
  const cutThrough = idIn(backend.messages[0]?.content)
  await lab.until(() => logged('delivered'))
  const story = await call(running, 'trace', cutThrough)
  assert.equal(story.code, 0, story.stderr)
  assert.match(
    story.stdout,
    new RegExp(
      `^${cutThrough}\\n {2}\\d{4}-\\S+ \\S+Z {2}came from 127\\S+, sent by joe@sender\\.test to you@example\\.test, .*; ${backend.url} took it while the sender waited \\(\\d+ ms\\); the sender heard "250 .*"\\n$`,
    ),
  )

  await rename(logFile, `${logFile}.1`)
  running.signal('SIGHUP')
  await lab.until(() => logged('reloaded'))
  assert.match((await call(running, 'trace', cutThrough)).stdout, /took it while the sender waited/)

  await backend.kill()
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  await lab.until(() => logged('held'))
  const listed = JSON.parse((await call(running, 'queue', 'list', '--json')).stdout)
  const held: string = listed.messages[0].id
  await call(running, 'queue', 'hold', held)
  await call(running, 'queue', 'release', held)
  await lab.until(() => logged('released by a person'))
  const waiting = await call(running, 'trace', held)
  assert.match(
    waiting.stdout,
    /no backend could take it, so it was held; the sender heard "250 [\s\S]*a person kept it back[\s\S]*a person let it go again[\s\S]*It is held now[\s\S]*you@example\.test: ready/,
  )
  await backend.restart()
  await call(running, 'queue', 'retry', held)
  await lab.until(() => logged('drained'))
  assert.match(
    (await call(running, 'trace', held)).stdout,
    /took it for you@example\.test, after \d+ s in the hold: "250 /,
  )

  running.signal('SIGTERM')
  await running.exited
  assert.match((await call(running, 'trace', held)).stdout, /took it for you@example\.test/)
  const unknown = await call(running, 'trace', 'ZZZZZZZZ')
  assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
  // Both began in this century.
  assert.equal((await call(running, 'trace', '0')).code, 1)
  assert.equal((await call(running, 'trace', '../x')).code, 2)
  assert.equal((await call(running, 'trace', held, '--log', 'nowhere.log')).code, 2)
})

test('a log that cannot be written: serve does not start, and says why', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend()
  const config = { log: { file: 'no/such/folder.log' }, domains: { 'example.test': { deliver: [backend] } } }
  const failed = await lab.processThatFails({ config })
  assert.equal((await failed.exited).code, 2)
  assert.match(failed.stderr, /the log file \S+folder\.log cannot be made: there is no folder \S+such/)
})
