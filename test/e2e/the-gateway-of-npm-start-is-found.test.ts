/** In a checkout without a configuration of its own, commands that speak with the running gateway find the one that `npm start` runs. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../lab/until.ts'

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

test('the gateway of npm start is found without -c, and its start says what to type', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-checkout-'))
  const elsewhere = join(folder, 'elsewhere')
  await mkdir(join(folder, 'examples/quickstart'), { recursive: true })
  await mkdir(elsewhere)
  const config = 'examples/quickstart/waypost.yaml'
  await writeFile(
    join(folder, config),
    'hostname: mx.example.test\nlisten: { smtp: "127.0.0.1:0", http: "127.0.0.1:0" }\nstate: ../../state\ndomains: { example.test: { deliver: "smtp://127.0.0.1:9" } }\n',
  )
  const child = spawn(waypost, ['serve', '-c', config], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  const exited = new Promise((done) => void child.once('close', done))
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
    await rm(folder, { recursive: true, force: true })
  })
  let said = ''
  child.stdout.on('data', (text) => {
    said += String(text)
  })
  await until(() => /Dashboard: .*\n/.test(said), 60_000, 'the dashboard')
  assert.match(said, /\("\/\S+\/bin\/waypost web link" makes a link that lets you in\)/)

  const run = (cwd: string, ...words: string[]) =>
    new Promise<{ code: unknown; out: string; err: string }>((done) => {
      execFile(waypost, words, { cwd, timeout: 120_000 }, (error, out, err) =>
        done({ code: error?.code ?? 0, out, err }),
      )
    })
  const link = await run(folder, 'web', 'link')
  assert.match(link.out, /^http:\/\/127\.0\.0\.1:\d+\/enter#\S+\n$/, link.err)
  assert.equal((await run(folder, 'queue', 'list')).code, 0)
  // Whatever else wants a configuration is told that there is this one.
  const plan = await run(folder, 'plan')
  assert.equal(plan.code, 2)
  assert.match(plan.err, /name a configuration with -c FILE \(an example: -c examples\/quickstart\/waypost\.yaml\)/)
  const outside = await run(elsewhere, 'web', 'link')
  assert.equal(outside.code, 2)
  assert.match(outside.err, /name a configuration with -c FILE \("waypost init example\.com" writes a first one\)/)
})
