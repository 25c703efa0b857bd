import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import type { BackendReport } from '../gateway/backends/report.ts'
import type { Gateway } from '../gateway/gateway.ts'
import { controlPath, createControl } from '../gateway/operate/control.ts'
import { backendCommand, backendHandlers } from './backend.ts'
import { createProgram } from './program.ts'

const url = 'smtp://10.0.0.11:25'

/** A gateway with one backend, whose state and whose domains without any the test says. */
async function start(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-backend-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'waypost.yaml')
  await writeFile(file, 'state: .\ndomains: { example.org: { deliver: mx } }')
  const at = {
    health: 'up' as BackendReport['state'],
    lastError: null as string | null,
    isOut: false,
    tried: 0,
  }
  const isLeft = () => at.isOut || at.health === 'down'
  const gateway = {
    backends: () => [{ url, state: at.isOut ? 'out' : at.health, lastError: at.lastError }],
    leftWithout: () => ({ held: isLeft() ? ['example.org'] : [], deferred: [] }),
    async setOut(given: string, isOut: boolean) {
      if (given !== url) return 'unknown'
      if (at.isOut === isOut) return 'was-so'
      at.isOut = isOut
      return 'done'
    },
    tryNow: () => ++at.tried > 0,
  } as unknown as Gateway
  const place = { path: controlPath(folder), clock: systemClock, onError: () => {} }
  const control = await createControl(place, backendHandlers(gateway))
  assert.ok(control.kind === 'listening')
  t.after(() => control.close())
  const backend = async (word: 'in' | 'out', code = 0) => {
    const said = { out: '', err: '' }
    const hear = (stream: keyof typeof said) => (text: string) => {
      said[stream] += text
    }
    const program = createProgram('1.2.3', { out: hear('out'), err: hear('err') }, (run) => [backendCommand(run)])
    assert.equal(await program.run(['backend', word, url, '-c', file]), code)
    return said
  }
  return { at, backend }
}

test('backend out a second time says that it is out already, and backend in that it was not out', async (t) => {
  const { backend } = await start(t)
  const first = await backend('out')
  assert.equal(first.out, `${url} gets no new mail.\n`)
  assert.match(first.err, /^No backend is left for example\.org: from now on that mail is held\./)
  assert.deepEqual(await backend('out'), { out: `${url} is out already.\n`, err: '' })
  assert.deepEqual(await backend('in'), { out: `${url} takes mail again.\n`, err: '' })
  assert.deepEqual(await backend('in'), { out: `${url} was not out of service.\n`, err: '' })
})

test('a backend that is down: putting it back says so and looks at it, taking it out changes nothing for its mail', async (t) => {
  const { at, backend } = await start(t)
  at.health = 'down'
  at.lastError = 'connect: ECONNREFUSED'
  const down = 'It is down (connect: ECONNREFUSED) and is looked at now.'
  assert.equal((await backend('in')).out, `${url} was not out of service. ${down}\n`)
  const out = await backend('out')
  assert.equal(out.err, 'No backend of example.org was up before: nothing changes for that mail.\n')
  assert.equal((await backend('in')).out, `${url} is back in service. ${down}\n`)
  assert.equal(at.tried, 2)
})
