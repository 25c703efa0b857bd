import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../../dns/name.ts'
import type { Resolution } from '../../dns/resolution.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { nameText } from '../../dns/wire-name.ts'
import { joinTerms, jointSpf } from './joint-spf.ts'

const domain = 'example.test' as HostName

/** TXT records by name; a name that begins with `broken` does not answer. */
const resolverOf = (texts: Readonly<Record<string, string>>): Pick<Resolver, 'resolve'> => ({
  async resolve(name, type) {
    const known = { canonicalName: name, aliases: [], ttlSeconds: 60, authenticated: false, stale: false }
    const server = { address: '127.0.0.1' as never, port: 53 }
    const owner = nameText(name)
    const text = texts[owner.slice(0, -1)]
    const resolution = owner.startsWith('broken')
      ? { kind: 'failed', reason: 'timeout', why: 'no answer' }
      : text !== undefined && type === 'TXT'
        ? {
            kind: 'answer',
            ...known,
            server,
            records: [{ name, class: 1, ttlSeconds: 60, data: { type: 'TXT', strings: [Buffer.from(text)] } }],
          }
        : { kind: 'no-such-name', ...known, server }
    return resolution as unknown as Resolution<typeof type>
  },
})

test('the new terms stand in front of what ends the record, each once', () => {
  assert.equal(joinTerms('v=spf1 mx -all', ['include:new.example']), 'v=spf1 mx include:new.example -all')
  assert.equal(joinTerms('v=spf1 -all', ['mx', 'ip4:192.0.2.1', 'mx']), 'v=spf1 mx ip4:192.0.2.1 -all')
  assert.equal(
    joinTerms('v=spf1 redirect=old.example', ['redirect=new.example']),
    'v=spf1 include:new.example redirect=old.example',
  )
  assert.equal(
    joinTerms('v=spf1 a  exp=e.example ?all', ['include:b.example']),
    'v=spf1 a  include:b.example exp=e.example ?all',
  )
  assert.equal(joinTerms('v=spf1 a', ['include:b.example']), 'v=spf1 a include:b.example')
  assert.equal(joinTerms('v=spf1 +Include:B.example ~all', ['include:b.example']), 'v=spf1 +Include:B.example ~all')
  assert.equal(joinTerms('v=spf1 nonsense', ['include:b.example']), undefined)
})

test('what receivers could not evaluate is not begun, and says what costs what', async () => {
  const eight = Array.from({ length: 8 }, (_, index) => `include:i${index}.example`).join(' ')
  const leaves = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`i${index}.example`, 'v=spf1 -all']))
  const resolver = resolverOf({
    ...leaves,
    'big.example': `v=spf1 ${eight} -all`,
    'small.example': 'v=spf1 ip4:192.0.2.0/24 -all',
  })
  const join = (live: string, ...added: string[]) => jointSpf(domain, live, added, resolver)
  assert.deepEqual(await join('v=spf1 include:big.example -all', 'include:small.example'), {
    kind: 'joint',
    text: 'v=spf1 include:big.example include:small.example -all',
  })
  assert.deepEqual(await join('v=spf1 include:small.example -all', 'include:small.example'), { kind: 'same' })
  const over = await join('v=spf1 include:big.example exists:small.example -all', 'include:small.example')
  assert.ok(over.kind === 'impossible')
  assert.match(
    over.why,
    /would take 11 look-ups, and 10 are the most .*: include:big\.example 9, exists:small\.example 1, include:small\.example 1/,
  )
  for (const [added, why] of [
    ['include:nobody.example', /^include:nobody\.example leads to no SPF record$/],
    ['include:broken.example', /^what include:broken\.example costs could not be told: no answer$/],
    ['a:192.0.2.1', /names no domain|no SPF record/],
  ] as const) {
    const said = await join('v=spf1 -all', added)
    assert.ok(said.kind === 'impossible', added)
    assert.match(said.why, why)
  }
  assert.equal((await join('v=spf1 nonsense', 'mx')).kind, 'impossible')
})
