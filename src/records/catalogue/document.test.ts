import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { providers } from './catalogue.ts'
import { documentProviders } from './document.ts'

test('docs/providers.md is current: npm run docs', () => {
  assert.equal(readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8'), documentProviders())
})

test('every provider stands there once, with its records, source and date', () => {
  const page = documentProviders()
  for (const { id, source, date, forms } of providers()) {
    const [before, section, ...more] = page.split(`: \`${id}\`\n`)
    assert.ok(before && section && more.length === 0, id)
    const own = section.split('\n### ')[0] ?? ''
    assert.ok(own.includes(`Source: ${source}; ${date}`), id)
    for (const { text } of forms.flatMap(({ records }) => records))
      assert.ok(own.includes(` ${text}\``), `${id}: ${text}`)
  }
})
