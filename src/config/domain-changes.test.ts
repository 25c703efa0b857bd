import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../../test/config-folder.ts'
import { domainChanges } from './domain-changes.ts'

const same = 'routes: { pool: ["smtp://10.0.0.1", "smtp://10.0.0.2"] }\n'

test('domains that came, went or are other than before are told, and no others', async (t) => {
  const loaded = (text: string) => load(t, `${same}${text}`)
  const before = await loaded(`domains:
  same.example: { deliver: pool, recipients: [a, b], addresses: { "x@": "smtp://10.0.0.3" }, exchangers: [{ preference: 10, host: mx1.same.example }] }
  "*.same.example": { deliver: "smtp://10.0.0.4" }
  route.example: { deliver: pool }
  recipients.example: { deliver: pool, recipients: [a] }
  hold.example: { deliver: pool }
  address.example: { deliver: pool, addresses: { "x@": "smtp://10.0.0.3" } }
  records.example: { deliver: none, exchangers: [{ preference: 10, host: mx1.same.example }] }
  gone.example: { deliver: pool }
`)
  const after = await loaded(`domains:
  same.example: { deliver: ["smtp://10.0.0.1", "smtp://10.0.0.2"], recipients: [b, a], addresses: { "x@": "smtp://10.0.0.3" }, exchangers: [{ preference: 10, host: mx1.same.example }] }
  "*.same.example": { deliver: "smtp://10.0.0.4" }
  route.example: { deliver: ["smtp://10.0.0.1", { to: "smtp://10.0.0.2", weight: 2 }] }
  recipients.example: { deliver: pool, recipients: [a, b] }
  hold.example: { deliver: pool, hold: 1d }
  address.example: { deliver: pool, addresses: { "x@": "smtp://10.0.0.5" } }
  records.example: { deliver: none, exchangers: [{ preference: 10, host: mx2.same.example }] }
  new.example: { deliver: pool }
`)
  assert.deepEqual(await domainChanges(before, after), {
    came: ['new.example'],
    went: ['gone.example'],
    changed: ['route.example', 'recipients.example', 'hold.example', 'address.example', 'records.example'],
  })
  assert.deepEqual(await domainChanges(after, after), { came: [], went: [], changed: [] })
})
