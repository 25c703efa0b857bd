import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { labHost, labName } from '../../../test/lab/names.ts'
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { parseIp } from '../../base/ip.ts'
import { systemRandom } from '../../base/random.ts'
import { createSecretReader } from '../../base/secret.ts'
import { createTarget } from './create-target.ts'

test('where the gateway has not read a zone of the built-in server, what is to be done is said in its words', async (t) => {
  const state = await mkdtemp(join(tmpdir(), 'waypost-builtin-'))
  t.after(() => rm(state, { recursive: true, force: true }))
  const why = 'the gateway that runs has no listen.dns yet, which takes a restart'
  const created = await createTarget('builtin', { type: 'builtin', negativeTtl: 300_000 }, labName('example.test'), {
    ...{ clock: systemClock, random: systemRandom, door: systemDoor },
    secrets: createSecretReader(() => undefined),
    addressesOf: async () => [],
    builtin: {
      ...{ state, hostname: labHost('mx.example.test') },
      // Nobody is asked: a zone that is new has no live serial.
      listen: [{ address: parseIp('127.0.0.1') ?? assert.fail(), port: 1 }],
      load: async () => ({ kind: 'failed', why }),
    },
  })
  assert.ok(created.kind === 'target')
  t.after(() => created.target.close())
  const read = await created.target.read([])
  assert.ok(read.kind === 'read')
  const applied = await created.target.apply({ version: read.version, changes: [] })
  assert.ok(applied.kind === 'not-loaded')
  assert.match(applied.why, new RegExp(why))
  assert.match(applied.remedy ?? '', /restarted/)
  assert.doesNotMatch(applied.remedy ?? '', /reload:|by hand/)
})
