import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { labName } from '../../../test/lab/names.ts'
import { systemDoor } from '../../base/door.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import { createResolver } from '../../dns/resolver.ts'
import { typeCodes } from '../../dns/types.ts'
import { wantedIn } from '../declare/wanted.ts'
import { noLimits } from '../targets/target.ts'
import { planZone } from './plan.ts'
import { seenElsewhere } from './seen-elsewhere.ts'

const zone = labName('example.test')

test('exchangers that DNS answers with and the place does not list are told', async (t) => {
  const { server, asked, set } = await startDns(t, {
    'example.test': {
      MX: [
        [30, 'route3.mx.example.net'],
        [10, 'route1.mx.example.net'],
        [20, 'route2.mx.example.net'],
      ],
    },
  })
  const deps = { clock: steadyClock, random: systemRandom, log: silentLog, door: systemDoor }
  const exchangers = [{ preference: 10, host: 'mx.example.net' as HostName, addresses: undefined }]
  const declaration = { domain: 'example.test' as HostName, exchangers, ttlSeconds: 60, publisher: undefined }
  const wanted = wantedIn(zone, [{ ...declaration, texts: [], absent: [] }])
  const notes = async (listed: readonly Rdata[]) => {
    const resolver = createResolver({ servers: [server], timeoutMs: 2_000, deadlineMs: 10_000 }, deps)
    t.after(() => resolver.close())
    const live = listed.length > 0 ? [{ name: zone, code: typeCodes.MX, ttlSeconds: 60, data: listed }] : []
    return seenElsewhere(planZone(zone, wanted.sets, live, noLimits), 'the API', resolver)
  }
  const [note] = await notes([])
  const three = '10 route1.mx.example.net., 20 route2.mx.example.net., 30 route3.mx.example.net.'
  assert.ok(note?.startsWith(`the API lists no MX records of example.test., and DNS answers with ${three}: `), note)
  const before = asked.length
  assert.deepEqual(await notes([{ type: 'MX', preference: 5, exchange: labName('old.example.net') }]), [])
  assert.equal(asked.length, before, 'nobody is asked where the place has records')
  set({ 'example.test': { TXT: ['x'] } })
  assert.deepEqual(await notes([]), [])
})
