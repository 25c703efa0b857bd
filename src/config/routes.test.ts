import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../../test/config-folder.ts'

test('a route that has a name is called by it, also where a domain wrote the same list before', async (t) => {
  const { settings } = await load(
    t,
    `domains:
  a.example: { deliver: ["smtp://10.0.0.1", "smtp://10.0.0.2"] }
  b.example: { deliver: pool }
  c.example: { deliver: ["smtp://10.0.0.1", "smtp://10.0.0.2"] }
  d.example: { deliver: "smtp://10.0.0.3" }
routes: { pool: ["smtp://10.0.0.1", "smtp://10.0.0.2"] }
`,
  )
  assert.deepEqual(
    settings.destinations.domains.map(({ route }) => route.id),
    ['pool', 'pool', 'pool', 'd.example'],
  )
  assert.deepEqual(
    settings.destinations.routes.map(({ id }) => id),
    ['pool', 'd.example'],
  )
})
