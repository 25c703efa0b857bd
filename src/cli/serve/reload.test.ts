import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Fields, type Log, silentLog } from '../../base/log.ts'
import type { Loaded } from '../../config/load.ts'
import { createSource, type Problem, problemOfFile } from '../../config/source.ts'
import type { GatewaySettings } from '../../gateway/settings.ts'
import { changesText, createReloader } from './reload.ts'

function start(
  followers: Readonly<Record<string, (loaded: Loaded) => Promise<string | undefined>>>,
  apply?: () => Promise<never>,
  remarks: readonly Problem[] = [],
  notDone?: string,
) {
  const lines: string[] = []
  const applied: GatewaySettings[] = []
  let kept = 0
  const line = (event: string, fields?: Fields) => {
    const more = fields?.what ?? fields?.problems
    lines.push(`${event}${more ? `: ${more}` : ''}`)
  }
  const log: Log = { ...silentLog, info: line, warn: line, error: line }
  const settings = { state: '/nowhere', destinations: { domains: [] } } as unknown as GatewaySettings
  const { message: _, ...written } = createSource('waypost.yaml', 'listen: { smtp: "[::1]:25" }').problem(16, 26, '')
  const listeners = [{ kind: 'smtp', address: '::1', port: 25, written }]
  const commit = async () => void kept++
  const publishing = { declarations: [] }
  const loaded = {
    kind: 'loaded',
    settings,
    publishing,
    summary: { remarks },
    listeners,
    certificates: {},
    said: {},
    commit,
  } as unknown as Loaded
  const gateway = { apply: apply ?? (async (now: GatewaySettings) => void applied.push(now)) } as never
  const reloader = createReloader({
    ...{ path: 'waypost.yaml', current: loaded, gateway, log, followers, applied: () => notDone },
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
  assert.deepEqual(answer, { kind: 'done', result: { remarks: [], later, changes: 'no domain came, went or changed' } })
  assert.deepEqual(lines, [
    'not all of the gateway followed the configuration',
    ...later.map((what) => `reloaded, but for one thing: ${what}`),
    'reloaded',
  ])
  assert.deepEqual([applied.length, kept()], [1, 1], 'the copy is of what runs')
})

test('a reload that wants a place which is taken stays, and says where the place is written', async () => {
  const { reloader } = start({}, async () => {
    throw Object.assign(new Error('no'), { code: 'EADDRINUSE', address: '::1', port: 25 })
  })
  const answer = await reloader.reload({ allowRemoval: false })
  assert.ok(answer.kind === 'failed')
  assert.match(
    answer.why,
    /^the running configuration stays, because:\nwaypost\.yaml:1:17: \[::1\]:25 is taken by another process: name another place here, in listen\.smtp\n/,
  )
})

test('what of the settings could not be done is told to who asked', async () => {
  const answer = await start({}, undefined, [], 'the log file cannot be written').reloader.reload({
    allowRemoval: false,
  })
  assert.ok(answer.kind === 'done')
  assert.deepEqual((answer.result as { later: unknown }).later, ['the log file cannot be written'])
})

test('what is in order and probably not meant is told at each reload', async () => {
  const { reloader, lines } = start({}, undefined, [problemOfFile('/pair.pem', 'the certificate has ended')])
  assert.equal((await reloader.reload({ allowRemoval: false })).kind, 'done')
  assert.deepEqual(lines, [
    'the configuration is in order, and probably not meant: /pair.pem: the certificate has ended',
    'reloaded',
  ])
})

test('what a reload did to domains is told in a few words', () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `d${at + 1}.example`)
  assert.equal(
    changesText({ came: names(1), went: [], changed: names(1003) }),
    '1 domain came (d1.example), 1,003 changed (d1.example, d2.example, d3.example and 1,000 more)',
  )
  assert.equal(changesText({ came: [], went: names(2), changed: [] }), '2 domains went (d1.example, d2.example)')
})
