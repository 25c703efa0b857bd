import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { type ControlHandlers, controlPath, createControl } from '../gateway/control.ts'
import { backendCommand } from './backend.ts'
import { configCommand } from './config.ts'
import { createProgram } from './program.ts'

async function waypost(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const terminal = {
    out(text: string) {
      out += text
    },
    err(text: string) {
      err += text
    },
  }
  const program = createProgram('1.2.3', terminal, (run) => [configCommand(run), backendCommand(run)])
  const code = await program.run(words)
  return { code, out, err }
}

async function config(t: TestContext, text: string): Promise<{ file: string; state: string }> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-cli-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  await writeFile(join(path, 'waypost.yaml'), `state: .\n${text}`)
  return { file: join(path, 'waypost.yaml'), state: path }
}

async function gateway(t: TestContext, state: string, handlers: ControlHandlers): Promise<void> {
  const control = await createControl({ path: controlPath(state), clock: systemClock, onError: assert.fail }, handlers)
  t.after(() => (control.kind === 'listening' ? control.close() : undefined))
}

const good = 'domains: { example.org: { deliver: mx } }'

test('help and version are no mistakes; a wrong word is, with the right one', async () => {
  assert.deepEqual(await waypost('--version'), { code: 0, out: '1.2.3\n', err: '' })
  const help = await waypost('config', 'check', '--help')
  assert.equal(help.code, 0)
  assert.match(help.out, /waypost config check -c waypost\.yaml/)
  const wrong = await waypost('confg')
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /Did you mean config\?/)
  const flag = await waypost('config', 'check', '--jsn')
  assert.equal(flag.code, 2)
  assert.match(flag.err, /Did you mean --json\?/)
  assert.equal((await waypost('backend', 'drain')).code, 2)
})

test('config check: 0 in order, 1 mistakes, 2 not there', async (t) => {
  const { file, state } = await config(t, good)
  const fine = await waypost('config', 'check', '-c', file)
  assert.equal(fine.code, 0)
  assert.match(fine.out, /^In order\.\n(?:.*\n)* {2}domains {4}1\n/)
  const json = await waypost('config', 'check', '-c', file, '--json')
  assert.equal(JSON.parse(json.out).domains, 1)

  await writeFile(file, 'domains:\n  example.org: { delivr: mx }\n')
  const wrong = await waypost('config', 'check', '-c', file)
  assert.equal(wrong.code, 1)
  assert.equal(
    wrong.out,
    `${file}:2:18: unknown key "delivr" in domains.example.org; did you mean "deliver"? Known: deliver, balance, onDefer, recipients, addresses
  2 |   example.org: { delivr: mx }
                       ^^^^^^
`,
  )
  const problems = JSON.parse((await waypost('config', 'check', '-c', file, '--json')).out).problems
  assert.deepEqual([problems[0].line, problems[0].column], [2, 18])
  const missing = await waypost('config', 'check', '-c', join(state, 'nope.yaml'))
  assert.equal(missing.code, 2)
})

test('config schema is a JSON Schema with a place for every key', async () => {
  const { code, out } = await waypost('config', 'schema')
  assert.equal(code, 0)
  const schema = JSON.parse(out)
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  assert.equal(schema.properties.limits.properties.connections.default, 10_000)
  assert.equal(schema.properties.domains.additionalProperties.properties.deliver.anyOf.length, 2)
})

test('backend and reload: without a gateway one clear line and 2', async (t) => {
  const { file, state } = await config(t, good)
  for (const words of [
    ['backend', 'list'],
    ['backend', 'drain', 'mx'],
    ['config', 'reload'],
  ]) {
    const { code, out, err } = await waypost(...words, '-c', file)
    assert.deepEqual(
      { code, out, err },
      { code: 2, out: '', err: `waypost: no gateway is running on the state folder ${state}\n` },
    )
  }
})

test('backend list shows what the gateway says, made safe', async (t) => {
  const { file, state } = await config(t, good)
  const backends = [
    { url: 'smtp://10.0.0.1:25', address: '10.0.0.1:25', state: 'up', sessions: 3, lastError: null, share: 2 / 3 },
    { url: 'smtp://10.0.0.2:25', address: '', state: 'down', sessions: 0, lastError: 'refused\u001b[2J', share: 1 / 3 },
  ]
  await gateway(t, state, { 'backend.list': () => ({ kind: 'done', result: backends }) })
  const { code, out } = await waypost('backend', 'list', '-c', file)
  assert.equal(code, 1)
  assert.equal(
    out,
    `BACKEND             ADDRESS      STATE  SESSIONS  SHARE  LAST ERROR
smtp://10.0.0.1:25  10.0.0.1:25  up     3         67 %   -
smtp://10.0.0.2:25  -            down   0         33 %   refused\\x1b[2J
`,
  )
  assert.deepEqual(JSON.parse((await waypost('backend', 'list', '--json', '-c', file)).out), backends)
})

test('drain and enable name the backend in its canonical spelling, also while the file is wrong', async (t) => {
  const { file, state } = await config(t, good)
  const asked: unknown[] = []
  await gateway(t, state, {
    'backend.drain': (given) => {
      asked.push(given.url)
      return { kind: 'done', result: null }
    },
    'backend.enable': () => ({ kind: 'failed', why: 'no such backend' }),
  })
  await writeFile(file, 'state: .\ndomains: { example.org: { delivr: mx } }')
  const drained = await waypost('backend', 'drain', 'SMTP://Host.example', '-c', file)
  assert.deepEqual(drained, { code: 0, out: 'smtp://host.example:25 gets no new mail.\n', err: '' })
  assert.deepEqual(asked, ['smtp://host.example:25'])
  const enabled = await waypost('backend', 'enable', 'smtp://other', '-c', file)
  assert.deepEqual([enabled.code, enabled.err], [1, 'waypost: no such backend\n'])
  assert.equal((await waypost('backend', 'drain', 'host.example', '-c', file)).code, 2)
})
