import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { runInNewContext, Script } from 'node:vm'
import { joinPage, joinPart, partsOf } from './join.ts'
import { parts } from './scripts.ts'

const from = (modules: Readonly<Record<string, string>>) => async (name: string) =>
  modules[name] ?? assert.fail(`there is no ${name}`)
const page = (modules: Readonly<Record<string, string>>, along: readonly string[] = []) =>
  joinPage('app', along, '/parts/', from(modules))

const few = {
  app: "import { one, two as second } from './a.ts'\nimport {\n  three,\n} from './b.ts'\nrun.push(one(), second, three)\nrun.push((await import('./late.ts')).four)",
  a: "import { three } from './b.ts'\nrun.push('a')\nexport function one() { return three + 1 }\nexport const two = 2",
  b: "run.push('b')\nexport const three = 3",
  late: "import { three } from './b.ts'\nimport { five } from './c.ts'\nrun.push('late')\nexport const four = three + five\nexport const later = () => import('./last.ts')",
  c: 'run.push("c")\nexport const five = 5',
  last: 'export const six = 6',
}

test('modules become one script: each runs once, when it is wanted, and gives what it exports', async () => {
  const run: unknown[] = []
  await runInNewContext(await page(few, ['late']), { run })
  assert.deepEqual(run, ['b', 'a', 4, 2, 3, 'c', 'late', 8])
})

test('a part has what the page has not, and uses what ran there', async () => {
  const text = await joinPart('app', 'late', from(few))
  assert.match(text, /'late': \(\) =>[\s\S]*'last'/)
  assert.match(text, /'c': \(\) =>/)
  assert.doesNotMatch(text, /'b': \(\) =>/)
  assert.match(await page(few), /import\('\/parts\/' \+ name \+ '\.js'\)/)
  const run: unknown[] = []
  const made = runInNewContext(text.replace('export default', ''), { run })(
    (name: string) => (name === 'b' ? { three: 3 } : { five: 5 }),
    assert.fail,
  )
  assert.equal(made.late().four, 8)
})

test('what cannot be joined is said, and not served', async () => {
  await assert.rejects(
    page({ app: "import { a } from './a.ts'", a: "import { b } from './app.ts'" }),
    /by way of others/,
  )
  await assert.rejects(page({ app: "import * as a from './a.ts'", a: '' }), /cannot be joined/)
  await assert.rejects(page({ app: "import { a } from './a.ts'", a: 'export default 1' }), /cannot be joined/)
  await assert.rejects(page({ app: "say('</script>')" }), /cannot stand in a page/)
})

test('our own modules can be joined, and all that is asked for later is served', async () => {
  const read = async (name: string) =>
    stripTypeScriptTypes(await readFile(new URL(`../browser/${name}.ts`, import.meta.url), 'utf8'))
  for (const entry of ['app', 'enter']) assert.ok(new Script(await joinPage(entry, [], '/assets/', read)))
  for (const part of parts)
    assert.ok(new Script((await joinPart('app', part, read)).replace(/^export default /, 'const made = ')))
  assert.deepEqual(new Set(await partsOf('app', read)), new Set(parts))
})
