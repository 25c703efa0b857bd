import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { startLab } from '../../../test/lab/lab.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { createQueueByKey } from '../../base/queue-by-key.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import { createResolver } from '../../dns/resolver.ts'
import { askOldSide } from './old-side.ts'

const set = (...hosts: readonly string[]) => ({
  ttlSeconds: 60,
  exchangers: hosts.map((host) => ({ preference: 10, host: host as HostName })),
})

/** @param old  its exchangers, each of which says this to RCPT; undefined: it takes all */
async function look(t: TestContext, old: readonly string[], rcpt: string | undefined, asksSmtp = true) {
  const lab = await startLab(t)
  const backend = await lab.backend(rcpt === undefined ? {} : { rcpt })
  const names = [...old, 'mx.new.test'].map((name) => [name, { A: [backend.address] }] as const)
  const { server } = await startDns(t, Object.fromEntries(names))
  const deps = {
    clock: steadyClock,
    random: systemRandom,
    log: silentLog,
    door: systemDoor,
    exchangerTurns: createQueueByKey(),
  }
  const resolver = createResolver({ servers: [server], timeoutMs: 1_000, deadlineMs: 5_000 }, deps)
  t.after(() => resolver.close())
  const options = {
    ...{ asksSmtp, isPrivate: true, smtpPort: backend.port, httpsPort: 443 },
    hello: 'waypost.example.net',
  }
  const moved = { domain: 'example.test' as HostName, old: set(...old, 'mx.new.test'), next: set('mx.new.test') }
  return { said: await askOldSide(moved, options, { ...deps, resolver }), backend }
}

test('an old platform that still takes the domain for its own is found, and its own remedy is told', async (t) => {
  const microsoft = await look(t, ['example-test.mail.protection.outlook.com'], undefined)
  assert.deepEqual(microsoft.said?.hosts, ['example-test.mail.protection.outlook.com'])
  assert.match(microsoft.said?.remedy ?? '', /"Internal relay"/)
  const own = await look(t, ['mail.hoster.test'], undefined)
  assert.deepEqual(own.said?.hosts, ['mail.hoster.test'])
  assert.match(own.said?.remedy ?? '', /cPanel/)
})

test('one that refuses its mail, or that nobody may ask, is no sign of anything; the exchangers that stay are not asked', async (t) => {
  assert.equal((await look(t, ['mail.hoster.test'], '550 5.1.2 we do not know this domain')).said, undefined)
  assert.equal((await look(t, ['mail.hoster.test'], undefined, false)).said, undefined)
  const { said, backend } = await look(t, [], undefined)
  assert.equal(said, undefined)
  assert.equal(backend.sessions.length, 0)
})
