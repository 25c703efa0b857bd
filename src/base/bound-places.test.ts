import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBoundPlaces } from './bound-places.ts'
import type { IpAddress } from './ip.ts'

const place = (port: number) => ({ address: '127.0.0.1' as IpAddress, port })

function stage(taken: ReadonlySet<number> = new Set()) {
  const listening: number[] = []
  const places = createBoundPlaces({
    async listen({ address, port }) {
      if (taken.has(port)) throw new Error('EADDRINUSE')
      const given = port === 0 ? 4000 : port
      listening.push(given)
      return { address, port: given }
    },
    unlisten: ({ port }) => void listening.splice(listening.indexOf(port), 1),
  })
  return { places, listening }
}

test('what is there already is not bound again, also where the system chose its port', async () => {
  const { places, listening } = stage()
  await places.bind([place(0), place(25)])
  await places.bind([place(0), place(26)])
  assert.deepEqual(listening, [4000, 25, 26])
  await places.keepOnly([place(0)])
  assert.deepEqual(listening, [4000])
  assert.deepEqual(places.all, [place(4000)])
})

test('one that is taken: the new ones before it are let go, and the old ones stay', async () => {
  const { places, listening } = stage(new Set([99]))
  await places.bind([place(25)])
  await assert.rejects(places.bind([place(25), place(26), place(99)]), /EADDRINUSE/)
  assert.deepEqual(listening, [25])
})

test('what was bound can be taken back', async () => {
  const { places, listening } = stage()
  await places.bind([place(25)])
  const undo = await places.bind([place(25), place(26)])
  await undo()
  assert.deepEqual(listening, [25])
})
