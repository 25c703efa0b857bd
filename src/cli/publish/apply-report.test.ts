import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../../test/lab/names.ts'
import { parseIp } from '../../base/ip.ts'
import { typeCodes } from '../../dns/types.ts'
import type { AppliedZone } from '../../publish/apply/apply.ts'
import { tellEach, tellTogether } from './apply-report.ts'

function collecting() {
  const said = { out: '', err: '' }
  const terminal = {
    out(text: string) {
      said.out += text
    },
    err(text: string) {
      said.err += text
    },
  }
  return { said, terminal }
}

test('what another hand made of a set is shown where it stopped the apply', () => {
  const { said, terminal } = collecting()
  const [name, other] = [labName('example.test'), labName('www.example.test')]
  const mx = (preference: number, host: string) => ({ type: 'MX', preference, exchange: labName(host) }) as const
  const before = { ttlSeconds: 60, data: [mx(10, 'mx1.example.test')] }
  const after = { ttlSeconds: 60, data: [mx(20, 'mx1.example.test')] }
  const address = { ttlSeconds: 60, data: [{ type: 'A', address: parseIp('192.0.2.1') ?? assert.fail() }] } as const
  const now = [{ name, code: typeCodes.MX, ttlSeconds: 300, data: [mx(7, 'theirs.example.net')] }]
  const applied: AppliedZone = {
    outcome: { kind: 'conflict', why: 'not as it was when the plan was made', now },
    changes: [
      { name, code: typeCodes.MX, before, after },
      { name: other, code: typeCodes.A, before: address, after: undefined },
    ],
    ...{ verified: undefined, cachesUntilMs: undefined },
  }
  assert.equal(tellEach(terminal).done('example.test', applied, 1_000), 2)
  assert.deepEqual(said.err.split('\n'), [
    'waypost: example.test: somebody else was there: not as it was when the plan was made. Nothing was changed; plan again and look.',
    '  It is there now:',
    '    example.test. MX 7 theirs.example.net.  TTL 300',
    '    www.example.test. A is gone',
    '',
  ])
})

test('why some servers were not asked is told once for all zones, and makes none of them one to look at', () => {
  const { said, terminal } = collecting()
  const server = { address: parseIp('192.0.2.53') ?? assert.fail(), port: 53 }
  const applied = (kind: 'right' | 'silent', unfound: string | undefined): AppliedZone => ({
    ...{ outcome: { kind: 'applied' }, changes: [], cachesUntilMs: undefined },
    verified: { servers: [{ server, state: kind === 'right' ? { kind } : { kind, why: 'no answer' } }], unfound },
  })
  const telling = tellTogether(20, terminal)
  const inside = 'ns.corp.test at 10.0.0.1, which is private: say --private, or name them by "servers:"'
  for (let zone = 0; zone < 18; zone++) assert.equal(telling.done(`z${zone}.test`, applied('right', inside), 1_000), 0)
  assert.equal(telling.done('lost.test', applied('right', 'no address for ns.lost.test'), 1_000), 0)
  assert.equal(telling.done('late.test', applied('silent', undefined), 1_000), 2)
  telling.end()
  assert.deepEqual(said.out.split('\n'), [
    'late.test: the zone is made.',
    '  It is done, and after 1 s not seen everywhere: 192.0.2.53:53 gives no answer of its own (no answer).',
    '19 zones: 0 sets of records changed, and every server that was asked answers with them.',
    `  Others were not asked: ${inside} (18 zones).`,
    '  Others were not asked: no address for ns.lost.test (1 zone).',
    '',
  ])
})
