import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from '../../../test/config-folder.ts'
import { leftWithout } from './left-without.ts'
import type { BackendReport } from './report.ts'

const up = (url: string) => ({ url, state: 'up' }) as const
const out = (url: string) => ({ url, state: 'out' }) as const
const down = (url: string) => ({ url, state: 'down' }) as const
type Reports = readonly Pick<BackendReport, 'url' | 'state'>[]

test('whoever has no other backend that serves is left without one: domains, and addresses that go another way', async (t) => {
  const [one, two] = ['smtp://10.0.0.1:25', 'smtp://10.0.0.2:25']
  const { settings } = await load(
    t,
    `domains:
  alone.example: { deliver: "${one}" }
  "*.alone.example": { deliver: "${one}", addresses: { "a@b.alone.example": "${one}" } }
  off.example: { deliver: "${one}", hold: off }
  both.example: { deliver: ["${one}", { to: "${two}", preference: 20 }] }
  other.example: { deliver: "${two}", addresses: { "sales@": "${one}" } }
`,
  )
  const left = (reports: Reports) => leftWithout(one, settings, reports)
  assert.deepEqual(left([out(one), up(two)]), {
    held: ['alone.example', '*.alone.example', 'sales@other.example'],
    deferred: ['off.example'],
  })
  assert.ok(left([out(one), down(two)]).held.includes('both.example'))
  assert.deepEqual(leftWithout(two, settings, [up(one), out(two)]), { held: ['other.example'], deferred: [] })
  assert.deepEqual(left([out(one), up(one), up(two)]), { held: [], deferred: [] })
})
