import assert from 'node:assert/strict'
import { test } from 'node:test'
import { host } from '../../test/unit/facts/names.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { isAsDeclared } from './tell-changes.ts'

const name = host('example.com')

test('a change to what waypost.yaml declares is as declared', () => {
  const declaration: Declaration = {
    domain: name,
    exchangers: [
      { preference: 10, host: host('mx1.example.com'), addresses: undefined },
      { preference: 20, host: host('mx2.example.com'), addresses: undefined },
    ],
    ttlSeconds: 3600,
    publisher: undefined,
    texts: [{ kind: 'spf', text: 'v=spf1 mx -all' }],
    absent: [],
  }
  const change = (type: string, ...after: string[]) => ({ name: 'example.com', type, before: [], after })
  assert.equal(isAsDeclared(change('MX', '20 mx2.example.com.', '10 MX1.example.com.'), declaration), true)
  assert.equal(isAsDeclared(change('MX', '10 mx1.example.com.'), declaration), false)
  assert.equal(isAsDeclared(change('TXT', 'v=spf1 mx -all'), declaration), true)
  assert.equal(isAsDeclared(change('TXT', 'v=spf1 +all'), declaration), false)
  assert.equal(isAsDeclared(change('TXT', 'v=spf1 mx -all'), undefined), false)
})
