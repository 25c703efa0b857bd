import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mailbox } from '../../../test/unit/held-message.ts'
import { parseIp } from '../../base/ip.ts'

import { createUnsaidSizes } from './unsaid-sizes.ts'

const address = (text: string) => parseIp(text) ?? assert.fail(text)

test('a size is of one client and one domain, the last one counts, and few are remembered', () => {
  const sizes = createUnsaidSizes()
  const [one, two] = ['one.test', 'two.test'].map((name) => mailbox(`you@${name}`).domain)
  const client = address('192.0.2.1')
  sizes.note(client, one, 500)
  sizes.note(client, one, 300)
  assert.deepEqual([sizes.expected(client, one), sizes.expected(client, two)], [300, 0])
  assert.equal(sizes.expected(address('192.0.2.2'), one), 0)
  sizes.note(address('2001:db8::1'), two, 7)
  // Of one /64.
  assert.equal(sizes.expected(address('2001:db8::2'), two), 7)
  for (let number = 0; number < 9_999; number++) sizes.note(address(`10.1.${number >> 8}.${number & 255}`), one, 1)
  assert.deepEqual([sizes.expected(client, one), sizes.expected(address('2001:db8::1'), two)], [0, 7])
})
