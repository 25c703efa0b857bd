import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { runInNewContext, Script } from 'node:vm'
import { joinModules } from './join.ts'

const joined = (modules: Readonly<Record<string, string>>) =>
  joinModules('app', async (name) => modules[name] ?? assert.fail(`there is no ${name}`))

test('modules become one script: each runs once, when it is wanted, and gives what it exports', async () => {
  const text = await joined({
    app: "import { one, two as second } from './a.ts'\nimport {\n  three,\n} from './b.ts'\nrun.push(one(), second, three)\nconst late = import('./late.ts')",
    a: "import { three } from './b.ts'\nrun.push('a')\nexport function one() { return three + 1 }\nexport const two = 2",
    b: "run.push('b')\nexport const three = 3",
    late: "import { three } from './b.ts'\nrun.push('late')\nexport const four = three + 1",
  })
  const run: unknown[] = []
  runInNewContext(text, { run })
  assert.deepEqual(run, ['b', 'a', 4, 2, 3, 'late'])
})

test('what cannot be joined is said, and not served', async () => {
  await assert.rejects(
    joined({ app: "import { a } from './a.ts'", a: "import { b } from './app.ts'" }),
    /by way of others/,
  )
  await assert.rejects(joined({ app: "import * as a from './a.ts'", a: '' }), /cannot be joined/)
  await assert.rejects(joined({ app: "import { a } from './a.ts'", a: 'export default 1' }), /cannot be joined/)
})

test('our own modules can be joined', async () => {
  for (const entry of ['app', 'enter']) {
    const text = await joinModules(entry, async (name) =>
      stripTypeScriptTypes(await readFile(new URL(`../browser/${name}.ts`, import.meta.url), 'utf8')),
    )
    assert.ok(new Script(`(async () => {${text}\n})`))
  }
})
