import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Door, systemDoor } from '../../src/base/door.ts'
import type { FakeBackend } from '../lab/backend.ts'
import { startDns } from '../lab/dns.ts'
import { startLab } from '../lab/lab.ts'
import { labAddress } from '../lab/names.ts'
import type { BackendWords } from '../lab/words.ts'

// RFC 8305: interleaved, 250 ms head start; health is by address
/** A world in which an IPv6 address leads to a place of the lab, whether this machine has IPv6 or not. */
const leadsTo = (place: FakeBackend): Door => ({
  open(purpose, target, isPrivate) {
    if (target.kind === 'unix' || !target.address.includes(':')) return systemDoor.open(purpose, target, isPrivate)
    return systemDoor.open(purpose, { kind: 'tcp', address: labAddress(place.address), port: place.port }, isPrivate)
  },
})

async function bothFamilies(t: TestContext, words: BackendWords) {
  const lab = await startLab(t)
  const v6 = await lab.backend(words)
  const v4 = await lab.backend()
  const dns = await startDns(t, {
    'other.test': { MX: [[10, 'both.other.test']] },
    'both.other.test': { A: [v4.address], AAAA: ['2001:db8::5'] },
  })
  const gateway = await lab.gateway(
    { deliver: [{ to: 'mx:other.test', mxPort: v4.port }], resolver: { servers: [dns.server] } },
    { door: leadsTo(v6) },
  )
  const state = (address: string) => gateway.backends().find((backend) => backend.address === address)?.state
  return {
    lab,
    v4,
    v6,
    stateOfV4: () => state(`${v4.address}:${v4.port}`),
    stateOfV6: () => state(`[2001:db8::5]:${v4.port}`),
  }
}

test('an IPv6 that swallows SYNs costs a quarter of a second, not a time-out', async (t) => {
  const { lab, v4, stateOfV4 } = await bothFamilies(t, { connect: 'silence' })
  const started = performance.now()
  for (let message = 0; message < 3; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  const ms = performance.now() - started
  assert.ok(ms < 20_000, `${ms} ms`)
  assert.equal(v4.messages.length, 3)
  assert.equal(stateOfV4(), 'up')
})

test('an IPv6 that refuses is down, and its IPv4 is not', async (t) => {
  const { lab, v4, stateOfV4, stateOfV6 } = await bothFamilies(t, { connect: 'refuse' })
  for (let message = 0; message < 3; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(v4.messages.length, 3)
  assert.deepEqual([stateOfV4(), stateOfV6()], ['up', 'down'])
})

test('both are well: they share the mail, and a session that comes too late is no second copy', async (t) => {
  const { lab, v4, v6 } = await bothFamilies(t, {})
  for (let message = 0; message < 6; message++) assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.deepEqual([v4.messages.length, v6.messages.length], [3, 3])
})
