import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ip } from '../../../test/unit/facts/names.ts'
import { defaultCheckOptions } from '../options.ts'
import { whyUseless } from './tree.ts'

test('where the root of the world is asked at the port of a laboratory, the option that is missing is named', () => {
  const places = [{ address: ip('192.0.2.1') }]
  const why = (options: Partial<typeof defaultCheckOptions>) =>
    whyUseless('the root', places, { ...defaultCheckOptions, ...options })
  assert.match(
    why({ dnsPort: 5300 }),
    /\(192\.0\.2\.1 at port 5300\); --root-hints names the root servers of a laboratory$/,
  )
  assert.doesNotMatch(why({}), /--root-hints|port/)
  assert.doesNotMatch(why({ dnsPort: 5300, rootHints: [ip('192.0.2.1')] }), /--root-hints/)
})
