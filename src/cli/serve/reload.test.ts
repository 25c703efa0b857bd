import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Log, silentLog } from '../../base/log.ts'
import type { Loaded } from '../../config/load.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { createReloader } from './reload.ts'

function start(followers: Readonly<Record<string, (loaded: Loaded) => Promise<string | undefined>>>) {
  const lines: string[] = []
  const applied: GatewaySettings[] = []
  let kept = 0
  const line = (event: string, fields?: Fields) => void lines.push(`${event}${fields?.what ? `: ${fields.what}` : ''}`)
  const log: Log = { ...silentLog, info: line, warn: line, error: line }
  const settings = { state: '/nowhere' } as GatewaySettings
  const loaded = { kind: 'loaded', settings, summary: {}, commit: async () => void kept++ } as unknown as Loaded
  const gateway = { apply: async (now: GatewaySettings) => void applied.push(now) } as never
  const reloader = createReloader({
    ...{ path: 'waypost.yaml', current: loaded, gateway, log, followers },
    load: async () => loaded,
  })
  return { reloader, lines, applied, kept: () => kept }
}

test('what cannot follow a configuration that runs is told as that, and no refusal', async () => {
  const { reloader, lines, applied, kept } = start({
    async dashboard() {
      throw Object.assign(new Error('no'), { code: 'EACCES' })
    },
    watch: async () => undefined,
    'DNS server': async () => 'this takes a restart',
  })
  const answer = await reloader.reload({ allowRemoval: false })
  const later = ['the dashboard could not follow; see the log', 'this takes a restart']
  assert.deepEqual(answer, { kind: 'done', result: { later } })
  assert.deepEqual(lines, [
    'not all of the gateway followed the configuration',
    ...later.map((what) => `reloaded, but for one thing: ${what}`),
    'reloaded',
  ])
  assert.deepEqual([applied.length, kept()], [1, 1], 'the copy is of what runs')
})
