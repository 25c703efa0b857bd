import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { documentConfiguration } from './document.ts'
import { type JsonSchema, publishedSchema, toJsonSchema } from './schema.ts'

test('docs/configuration.md and docs/waypost.schema.json are current: npm run docs', () => {
  const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
  assert.equal(read('configuration.md'), documentConfiguration())
  assert.equal(read('waypost.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`)
})

test('strict validators take the schema without an option of their own, and it knows right from wrong', () => {
  const validate = new Ajv2020({ strict: true }).compile(publishedSchema() as object)
  const domains = { 'example.test': { deliver: 'maildir:./mail' } }
  const tsig = { name: 'waypost', secret: 'file:key' }
  const publishers = { here: { type: 'rfc2136', server: '192.0.2.53', tsig } }
  assert.ok(validate({ domains, publishers, limits: { messageBytes: '50MB' } }), JSON.stringify(validate.errors))
  assert.ok(validate({ domains, limits: { messageBytes: 1_000_000 } }), JSON.stringify(validate.errors))
  assert.equal(validate({ domains, limits: { messageBytes: true } }), false)
  assert.equal(validate({ domains, publisher: publishers }), false)
})

test('every option says what it is and what it takes', () => {
  const walk = (schema: JsonSchema, path: string): void => {
    for (const [key, option] of Object.entries(schema.properties ?? {})) {
      assert.ok((option.description ?? '').length > 3, `${path}.${key} has no sentence`)
      assert.ok((option.wants ?? '').length > 3, `${path}.${key} does not say what it takes`)
      walk(option, `${path}.${key}`)
    }
    for (const inner of [schema.items, ...(schema.anyOf ?? []), schema.additionalProperties])
      if (typeof inner === 'object') walk(inner, path)
  }
  walk(toJsonSchema(), '')
})
