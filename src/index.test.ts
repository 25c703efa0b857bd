import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8')

test('every name that the library exports has a docstring where it is defined', async () => {
  const exported = [...(await read('index.ts')).matchAll(/export (?:type )?\{([^}]*)\} from '(\S+)'/g)]
  const missing: string[] = []
  let count = 0
  for (const [, names = '', path = ''] of exported) {
    const text = await read(path)
    for (const name of names.split(',').map((word) => word.replace(/\btype\b/, '').trim())) {
      if (name === '') continue
      count++
      const definition = `\\nexport (?:async )?(?:function|const|class|interface|type) ${name}\\b`
      if (!new RegExp(`\\*/${definition}`).test(text)) missing.push(`${path} ${name}`)
    }
  }
  assert.deepEqual(missing, [])
  assert.ok(count > 50, `${count} names were found`)
})
