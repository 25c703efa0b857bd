/** That no rule is without a test in which it finds something, and one in which it does not: seen by running the tests of all rules. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Examinations } from '../../../test/unit/record-examinations.ts'
import { ruleIds } from '../rule-ids.ts'

/** Why something could not be decided is all that they ever say. */
const neverFind = ['smtp-temporarily-refused']

test('each rule finds something in one test, and has nothing to say in another', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-rules-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'examinations.json')
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const recorder = fileURLToPath(new URL('../../../test/unit/record-examinations.ts', import.meta.url))
  const args = ['--import', recorder, '--test', '--test-isolation=none', 'src/checks/rules/*/*.test.ts']
  await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    env: { ...env, RECORD_EXAMINATIONS: file },
    timeout: 120_000,
    maxBuffer: 16 * 1024 * 1024,
  })
  const examinations = JSON.parse(await readFile(file, 'utf8')) as Examinations
  const without = (has: (id: string) => boolean | undefined) => ruleIds.filter((id) => !has(id))
  assert.deepEqual(Object.keys(examinations).sort(), [...ruleIds].sort(), 'every id is that of a rule')
  assert.deepEqual(
    without((id) => examinations[id]?.[neverFind.includes(id) ? 'isUndecided' : 'finds']),
    [],
    'rules that no test trips',
  )
  assert.deepEqual(
    without((id) => examinations[id]?.isSilent),
    [],
    'rules that say something in every test',
  )
})
