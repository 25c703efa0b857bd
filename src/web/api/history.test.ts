import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idle, noAccess } from '../../../test/lab/web.ts'
import { systemRandom } from '../../base/random.ts'
import type { Condition } from '../../watch/condition.ts'
import { hashSecret, readSecretHash } from '../access/secret-hash.ts'
import type { WebDeps } from '../deps.ts'
import { createWeb } from '../web.ts'
import type { ConditionsAnswer } from './history.ts'

const socket = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: 8025 }

test('what is wrong now comes with what to do, line by line, and nothing that a terminal would perform', async () => {
  const condition = (remedy: string | undefined) => standing({ remedy })
  const answer = await asked([condition('Publish one:\nexample.com. IN MX 10 mx.\x1b[2J'), condition(undefined)])
  assert.deepEqual(
    answer.map(({ remedy }) => remedy),
    ['Publish one:\nexample.com. IN MX 10 mx.\\x1b[2J', null],
  )
})

test('what is in order again is not wrong now, though it may still come back', async () => {
  const answer = await asked([standing({ title: 'is up again' }, 9), standing({ title: 'is down' })])
  assert.deepEqual(
    answer.map(({ title }) => title),
    ['is down'],
  )
})

const standing = (of: Partial<Condition>, clearedMs?: number) => ({
  condition: {
    kind: 'finding',
    severity: 'error',
    domain: undefined,
    title: 't',
    detail: 'd',
    remedy: undefined,
    ...of,
  },
  ...{ sinceMs: 5, clearedMs },
})

async function asked(conditions: readonly ReturnType<typeof standing>[]): Promise<ConditionsAnswer> {
  const hash = readSecretHash(await hashSecret('sees', systemRandom, 14))
  if (hash.kind === 'no') throw new Error(hash.why)
  const web = createWeb({
    ...idle,
    settings: () => ({ ...noAccess, access: [{ name: 'see', role: 'view', hash: hash.value }] }),
    watch: { conditions: () => conditions } as unknown as WebDeps['watch'],
  })
  const headers = { host: '127.0.0.1:8025', authorization: 'Bearer see.sees' }
  const request = new Request('http://127.0.0.1:8025/api/conditions', { headers })
  const response = await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)
  return (await response.json()) as ConditionsAnswer
}
