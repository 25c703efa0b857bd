/** A bug that nobody foresaw: the command line ends with 2 ("could not do it"), says whose fault it is, and has the stack below. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { commandFolder } from '../lab/command.ts'

for (const [where, code] of [
  [
    'in the work of a command',
    `const { Command } = await import(${JSON.stringify(import.meta.resolve('commander'))})
Command.prototype.parseAsync = async () => { throw new TypeError('planted') }
// Something open must not keep it waiting.
setInterval(() => {}, 1000)`,
  ],
  [
    'beside it, where nobody waits for it',
    `process.on('newListener', (name) => {
  if (name === 'uncaughtException') setImmediate(() => { throw new TypeError('planted') })
})`,
  ],
] as const)
  test(`a fault ${where} ends the command line with 2, which is not the code of something found`, async (t) => {
    const planted = await commandFolder(t)
    const file = join(planted.folder, 'plant.mjs')
    await writeFile(file, code)
    const { run } = await commandFolder(t, { NODE_OPTIONS: `--import=${pathToFileURL(file)}` })
    const ran = await run('plan', '-c', 'none.yaml')
    assert.equal(ran.code, 2, ran.err)
    assert.match(ran.err, /^waypost: this is a fault of Waypost, .*: TypeError: planted\nTypeError: planted\n {4}at /m)
  })
