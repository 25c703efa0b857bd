import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate as settled } from 'node:timers/promises'
import { createFakeClock } from '../../test/lab/fake-clock.ts'
import { seededRandom } from '../base/random.ts'
import type { Endpoint } from '../routing/backend.ts'
import { createBackend, defaultBackendOptions } from '../routing/parse-backend.ts'
import { type MaildirFiles, systemFiles } from './maildir-files.ts'
import { createMaildirProbe } from './probe-maildir.ts'

async function stage(t: TestContext, fail: Partial<MaildirFiles> = {}) {
  const base = await mkdtemp(join(tmpdir(), 'waypost-probe-'))
  t.after(() => rm(base, { recursive: true }))
  const clock = createFakeClock()
  const health: string[] = []
  const made = createMaildirProbe({
    ...{ clock, random: seededRandom(1), files: { ...systemFiles, ...fail } },
    health: { opened: () => void health.push('opened'), failed: (_, { detail }) => void health.push(detail) },
  })
  const probe = async (path: string) => (await made.probe(maildir(join(base, path)), clock.monotonicMs() + 25_000)).kind
  return { ...made, base, clock, health, probe }
}

function maildir(path: string): Endpoint {
  const backend = createBackend({ protocol: 'maildir', path }, defaultBackendOptions)
  return { key: path, backend, target: { kind: 'maildir' }, name: path, purpose: 'backend' }
}

const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code })
}

test('a Maildir that can be written is up, and nothing is made or left', async (t) => {
  const { base, probe, health } = await stage(t)
  assert.equal(await probe('box'), 'up')
  assert.equal(await probe('{local}'), 'up')
  assert.deepEqual(await readdir(base), [])
  await mkdir(join(base, 'box'))
  assert.equal(await probe('box'), 'up')
  await mkdir(join(base, 'box', 'tmp'))
  assert.equal(await probe('box'), 'up')
  assert.deepEqual(await readdir(base, { recursive: true }), ['box', join('box', 'tmp')])
  assert.deepEqual(health, ['opened', 'opened', 'opened', 'opened'])
})

test('a folder that is missing, or no folder, is told in words', async (t) => {
  const { base, probe, health } = await stage(t)
  await writeFile(join(base, 'file'), '')
  for (const path of ['gone/box', 'gone/{local}', 'file', 'file/box', 'file/{local}'])
    assert.equal(await probe(path), 'failed', path)
  assert.deepEqual(health, [
    `the folder ${base}/gone is missing, and only "box" in it is made by itself: make it`,
    `the folder ${base}/gone is missing: make it, and a folder in it for each who gets mail`,
    `${base}/file, or what leads to it, is no folder`,
    `${base}/file/box, or what leads to it, is no folder`,
    `${base}/file, or what leads to it, is no folder`,
  ])
})

test('one that may not be written, or is on a disk that is read-only or full, is told as that', async (t) => {
  const told = async (code: string) => {
    const { base, probe, health } = await stage(t, { create: failing(code) })
    assert.equal(await probe('box'), 'failed')
    return health.map((text) => text.replace(base, ''))
  }
  assert.deepEqual(await told('EACCES'), ['/box may not be written by the user that Waypost runs as'])
  assert.deepEqual(await told('EROFS'), ['/box lies on a file system that is mounted read-only'])
  assert.deepEqual(await told('ENOSPC'), ['ENOSPC'])
})

test('a disk that hangs is told in time, and takes no second thread', async (t) => {
  let asked = 0
  const hangs = Promise.withResolvers<'nothing'>()
  const enter = () => {
    asked++
    return hangs.promise
  }
  const { base, probe, clock, health, settle } = await stage(t, { enter })
  for (let time = 1; time <= 3; time++) {
    const probed = probe('box')
    await settled()
    clock.advance(25_000)
    assert.equal(await probed, 'failed')
  }
  assert.deepEqual([asked, new Set(health)], [1, new Set([`the disk of ${base}/box does not answer`])])
  // The end waits for it, and not for ever.
  const end = settle()
  clock.advance(1_000)
  await end
  hangs.resolve('nothing')
})
