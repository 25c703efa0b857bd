import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { foldName, nameFromLabels, parentOf, type WireName } from '../wire-name.ts'
import { createHashedName, createNameTable } from './name-table.ts'

const label = fc.string({ unit: fc.constantFrom('a', 'B', 'b', '\x00', 'Z', '*', '\xe9'), minLength: 1, maxLength: 6 })
const name = fc.array(label, { maxLength: 6 }).map((labels) => {
  const parsed = nameFromLabels(labels)
  assert.ok(parsed.kind === 'name')
  return parsed.name
})

test('does what a Map from folded names does, whatever comes and goes', () => {
  const action = fc.record({ name, isDelete: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(action, { maxLength: 200 }),
      fc.array(name, { maxLength: 20 }),
      fc.integer(),
      (actions, asked, seed) => {
        const table = createNameTable<{ readonly name: WireName; readonly id: number }>(seed)
        const model = new Map<WireName, number>()
        actions.forEach(({ name, isDelete }, id) => {
          const folded = foldName(name)
          if (isDelete) {
            table.delete(folded)
            model.delete(folded)
          } else {
            table.set({ name: folded, id })
            model.set(folded, id)
          }
        })
        assert.equal(table.size, model.size)
        const hashed = createHashedName()
        for (const one of [...asked, ...actions.map((action) => action.name)]) {
          const bytes = Buffer.from(`head${one}tail`, 'latin1')
          assert.ok(table.hash(bytes, 4, hashed))
          assert.equal(hashed.end, 4 + one.length)
          let above = one
          for (let at = 0; at < hashed.labels; at++) {
            assert.equal(table.find(bytes, hashed, at)?.id, model.get(foldName(above)))
            above = parentOf(above)
          }
          assert.equal(table.get(foldName(one))?.id, model.get(foldName(one)))
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('many names: all are found, and none after they were taken away', () => {
  const table = createNameTable<{ readonly name: WireName }>(42)
  const names = Array.from({ length: 50_000 }, (_, index) => {
    const parsed = nameFromLabels([`host${index}`, 'example', 'test'])
    assert.ok(parsed.kind === 'name')
    return parsed.name
  })
  for (const name of names) table.set({ name })
  assert.equal(table.size, names.length)
  assert.ok(names.every((name) => table.get(name)?.name === name))
  for (const [index, name] of names.entries()) if (index % 2 === 0) table.delete(name)
  assert.ok(names.every((name, index) => (table.get(name) === undefined) === (index % 2 === 0)))
})

test('what is no whole, plain name is none', () => {
  const { hash } = createNameTable(1)
  const into = createHashedName()
  const isName = (octets: readonly number[] | Buffer) => hash(Buffer.from(octets), 0, into)
  assert.equal(isName([0]), true)
  assert.equal(isName([]), false)
  assert.equal(isName([3, 97, 97]), false)
  assert.equal(isName([1, 97]), false)
  assert.equal(isName([1, 97, 0xc0, 0]), false)
  assert.equal(isName([64, ...Array<number>(64).fill(97), 0]), false)
  const long = (count: number) => Buffer.concat([...Array<Buffer>(count).fill(Buffer.from([1, 97])), Buffer.from([0])])
  assert.equal(isName(long(127)), true)
  assert.equal(isName(long(128)), false)
})
