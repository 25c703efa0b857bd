/** The fuzz tests, each ten times as long as in a run of all tests, and with a seed that nobody has chosen. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../fuzz/', import.meta.url))
const seed = Number(process.env.FUZZ_SEED ?? 1 + Math.floor(Math.random() * 1_000_000))

for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.ts') && name !== 'no-growth.test.ts'))
  test(`${file} with seed ${seed}`, { timeout: 1_800_000 }, async (t) => {
    const env = { ...process.env, FUZZ_SEED: String(seed), FUZZ_TIMES: '10', NODE_TEST_CONTEXT: undefined }
    const child = spawn(process.execPath, ['--test', '--test-isolation=none', `${folder}${file}`], { env })
    t.after(() => child.kill('SIGKILL'))
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => (said = `${said}${text}`.slice(-8_000)))
    const [code] = await once(child, 'close')
    assert.equal(code, 0, said)
  })
