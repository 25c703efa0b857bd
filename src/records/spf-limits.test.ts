import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostName } from '../dns/name.ts'
import { parseSpf } from './spf.ts'
import { countSpfLookups, type SpfAnswer, type SpfCost, type SpfLookup } from './spf-limits.ts'

type World = Readonly<
  Record<string, { txt?: readonly string[]; mx?: readonly string[]; ipv4?: true; ipv6?: true } | 'fails'>
>

const lookupIn = (world: World, asked: string[] = []): SpfLookup => {
  const answer = <T>(name: HostName, what: 'txt' | 'mx' | 'ipv4' | 'ipv6', value: T | undefined): SpfAnswer<T> => {
    asked.push(`${what} ${name}`)
    if (world[name] === 'fails') return { kind: 'failed', why: 'SERVFAIL' }
    return value === undefined ? { kind: 'none' } : { kind: 'found', value }
  }
  const at = (name: HostName) => {
    const here = world[name]
    return here === 'fails' ? undefined : here
  }
  return {
    txt: async (name) => answer(name, 'txt', at(name)?.txt),
    mx: async (name) => answer(name, 'mx', at(name)?.mx as readonly HostName[] | undefined),
    ipv4: async (name) => answer(name, 'ipv4', at(name)?.ipv4),
    ipv6: async (name) => answer(name, 'ipv6', at(name)?.ipv6),
  }
}

const count = (record: string, world: World, asked?: string[]): Promise<SpfCost> => {
  const parsed = parseSpf(record)
  assert.ok(parsed.kind === 'spf', record)
  return countSpfLookups('d.example' as HostName, parsed.record, lookupIn(world, asked))
}

const kinds = (cost: SpfCost) => cost.troubles.map((trouble) => trouble.kind)

test('what asks is counted over the whole tree, and what does not is not', async () => {
  const cost = await count('v=spf1 ip4:192.0.2.1 a mx include:x.example redirect=ignored.example exp=e.example -all', {
    'd.example': { ipv4: true, ipv6: true, mx: ['m.d.example'] },
    'm.d.example': { ipv4: true, ipv6: true },
    'x.example': { txt: ['unrelated', 'v=spf1 include:y.example a:y.example -all mx'] },
    'y.example': { txt: ['v=spf1 redirect=z.example'], ipv4: true, ipv6: true },
    'z.example': { txt: ['v=spf1 ip4:192.0.2.1'] },
  })
  // a, mx, include x, include y, redirect z, a y.
  assert.equal(cost.lookups, 6)
  assert.equal(cost.depth, 4)
  assert.equal(cost.voidLookups, 0)
  assert.deepEqual(kinds(cost), [])
  const x = cost.root.steps[2]
  assert.deepEqual([x?.target, x?.lookups, x?.child?.steps.length], ['x.example', 4, 2])
})

test('eleven includes are eleven look-ups', async () => {
  const names = Array.from({ length: 11 }, (_, index) => `i${index}.example`)
  const world = Object.fromEntries(names.map((name) => [name, { txt: ['v=spf1 -all'] }]))
  const cost = await count(`v=spf1 ${names.map((name) => `include:${name}`).join(' ')} -all`, world)
  assert.equal(cost.lookups, 11)
})

test('void look-ups are counted for the family of a client', async () => {
  const cost = await count('v=spf1 a:v4.example a:none.example mx:m.example exists:e.example ?all', {
    'v4.example': { ipv4: true },
    'm.example': { mx: ['v6.example'] },
    'v6.example': { ipv6: true },
  })
  // IPv6: v4.example, none.example, e.example; IPv4: none.example, v6.example, e.example.
  assert.equal(cost.voidLookups, 3)
  assert.equal(cost.lookups, 4)
})

test('what makes a permanent or temporary error is told, with the term', async () => {
  const many = Array.from({ length: 11 }, (_, index) => `m${index}.example`)
  const asked: string[] = []
  const cost = await count(
    'v=spf1 include:none.example include:two.example include:bad.example include:loop.example include:dead.example mx:many.example a:%{i}.x.example a:%_.example -all',
    {
      'two.example': { txt: ['v=spf1', 'v=spf1 -all'] },
      'bad.example': { txt: ['v=spf1 nonsense'] },
      'loop.example': { txt: ['v=spf1 include:d.example include:loop.example'] },
      'dead.example': 'fails',
      'd.example': { txt: ['v=spf1 include:loop.example'], ipv4: true },
      'many.example': { mx: many },
    },
    asked,
  )
  assert.deepEqual(kinds(cost), [
    'no-record',
    'several-records',
    'malformed',
    'loop',
    'loop',
    'lookup-failed',
    'too-many-mx',
    'depends-on-message',
    'no-name',
  ])
  assert.equal(cost.troubles[0]?.term?.text, 'include:none.example')
  assert.equal(cost.troubles[3]?.domain, 'loop.example')
  // Ten of the eleven exchangers, and no name that hangs on the message.
  assert.equal(asked.filter((one) => one.startsWith('ipv4 m')).length, 10)
  assert.ok(!asked.some((one) => one.includes('x.example')))
})

test('a tree that grows as long as somebody asks is left', async () => {
  const fork: SpfLookup = {
    ...lookupIn({}),
    txt: async (name) => ({
      kind: 'found',
      value: [`v=spf1 include:a.${name.slice(0, 200)} include:b.${name.slice(0, 200)}`],
    }),
  }
  const parsed = parseSpf('v=spf1 include:x.example')
  assert.ok(parsed.kind === 'spf')
  const cost = await countSpfLookups('d.example' as HostName, parsed.record, fork)
  assert.ok(cost.lookups <= 200 && cost.depth <= 21, JSON.stringify([cost.lookups, cost.depth]))
  assert.ok(kinds(cost).includes('unfinished'))
})
