import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgram } from '../program.ts'
import { planCommand } from './plan.ts'

test('an export is neither JSON nor judged: what it would not heed is refused', async () => {
  for (const more of [['--json'], ['--allow', 'null-mx']]) {
    let err = ''
    const terminal = {
      out: (text: string) => assert.fail(text),
      err(text: string) {
        err += text
      },
    }
    const program = createProgram('1.2.3', terminal, (run) => [planCommand(run, { color: false })])
    assert.equal(await program.run(['plan', '--export', 'zone', '-c', 'not-there.yaml', ...more]), 2)
    assert.match(err, new RegExp(`--export <format>' cannot be used with option '${more[0]}`))
  }
})
