/** `waypost init` for scripts: what it writes is what a plan is made with, and what it guessed is told as guessed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nameServerText } from '../../src/dns/servers.ts'
import { startDns } from '../lab/dns.ts'

const program = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

async function start(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-init-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const dns = await startDns(t, {
    'example.test': { MX: [[10, 'mx1.example.net']] },
    'mx1.example.net': { A: ['192.0.2.1'] },
  })
  const server = nameServerText(dns.server)
  const call = (...words: string[]) =>
    new Promise<{ code: number | null; said: string }>((resolve, reject) => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      const child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      t.after(() => void child.kill('SIGKILL'))
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, said }))
    })
  return { server, call, text: () => readFile(join(folder, 'waypost.yaml'), 'utf8') }
}

test('the resolver that was named is written down, so that the plan asks it too and changes nothing', async (t) => {
  const { server, call, text } = await start(t)
  const made = await call('init', 'example.test', '--resolver', server, '--server', server, '--private')
  assert.equal(made.code, 0, made.said)
  assert.match(made.said, /guessed, because nobody said it: hostname: /)
  const written = await text()
  assert.match(written, /^hostname: \S+ # guessed: see that it is right$/m)
  assert.ok(written.includes(`resolver: { servers: ["${server}"] }`), written)
  assert.match(written, /^# This is what .* said when it was written: where others say the same/m)
  const plan = await call('plan', '--no-smtp')
  assert.equal(plan.code, 0, plan.said)
})

test('what was said is no guess; a place that nobody named is one', async (t) => {
  const { server, call, text } = await start(t)
  const words = ['--resolver', server, '--server', server, '--private', '--hostname', 'mx1.example.test']
  const made = await call('init', 'example.test', ...words, '--publisher', 'zonefile')
  assert.equal(made.code, 0, made.said)
  assert.match(made.said, /guessed, because nobody said it: the place of the DNS records: /)
  assert.match(await text(), /^hostname: mx1\.example\.test$/m)
  assert.match(await text(), /path: "\/etc\/bind\/db\.example\.test" # guessed/)
})
