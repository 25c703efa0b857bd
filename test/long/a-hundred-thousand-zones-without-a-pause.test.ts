/** The built-in DNS server takes 100,000 domains, and changes of them, without a pause in which nobody is answered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runWell } from '../interop/harness/program.ts'

const longestPauseMs = 100

test('100,000 zones come, stay and change, and nothing waits for longer than 100 ms', async () => {
  const script = fileURLToPath(new URL('./hundred-thousand-zones.ts', import.meta.url))
  const { stdout } = await runWell(process.execPath, [script])
  const steps = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { counts: number[]; pauseMs: number })
  assert.deepEqual(
    steps.map(({ counts }) => counts),
    [
      [100_001, 0, 0],
      [0, 100_001, 0],
      [1, 100_000, 0],
      [0, 50_000, 50_001],
    ],
  )
  for (const { counts, pauseMs } of steps) assert.ok(pauseMs < longestPauseMs, `${counts}: ${pauseMs.toFixed(0)} ms`)
})
