/**
 * `waypost check` as everybody runs it, without `--private`: the addresses of its internet are public ones, on loopback in a network namespace of
 * the test's own, in which this file runs again. Needs root.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runSchema } from '../../src/checks/report/document.ts'
import { checkCommand } from '../lab/check-command.ts'
import { type CleanWords, startCleanDomain } from '../lab/clean-domain.ts'
import { freeAddress } from '../lab/loopback.ts'
import { run } from './harness/program.ts'

/** 11/8 is an ordinary public network; 10/8 is not. */
const script = 'ip link set lo up && ip addr add 11.0.0.1/8 dev lo && ip addr add 10.0.0.1/8 dev lo && exec "$@"'

if (process.env.LAB_NETWORK === undefined) {
  test('in a namespace with public addresses', async () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const words = Object.entries({ ...env, LAB_NETWORK: '11' }).map(([name, value]) => `${name}=${value}`)
    const node = [process.execPath, '--test', '--test-isolation=none', fileURLToPath(import.meta.url)]
    const args = ['-i', ...words, 'unshare', '-n', 'sh', '-c', script, 'sh', ...node]
    const ran = await run('/usr/bin/env', args, { timeoutMs: 300_000 })
    assert.equal(ran.code, 0, ran.stdout + ran.stderr)
    assert.match(ran.stdout, /\bpass 4\b/)
  })
} else {
  const check = async (t: TestContext, words: CleanWords) => {
    const lab = await startCleanDomain(t, words)
    const command = await checkCommand(t, lab, { isPrivate: false })
    const ran = await command.run(['example.lab', '--format', 'json'])
    const [report] = runSchema.parse(JSON.parse(ran.out)).reports
    assert.ok(report?.kind === 'examined')
    return { lab, report, ...ran }
  }
  const whyNot = ({ notChecked }: { readonly notChecked: readonly { readonly why: string }[] }) =>
    notChecked.map(({ why }) => why).join('\n')

  test('a domain in order: nothing is left out, and every exchanger was spoken to', async (t) => {
    const { lab, report, code } = await check(t, {})
    assert.deepEqual([code, report.state], [0, 'arrives'])
    assert.doesNotMatch(whyNot(report), /private/)
    assert.deepEqual(
      report.findings.filter(({ severity }) => severity !== 'notice'),
      [],
    )
    assert.ok(lab.exchangers.every((exchanger) => (exchanger?.connections.all ?? 0) > 0))
  })

  test('name servers at private addresses: they are not asked, which is told with the option that says that they are meant', async (t) => {
    const { lab, report } = await check(t, {
      zone: (zone) => ({
        ...zone,
        servers: zone.servers.map((server) => ({ ...server, address: freeAddress('10') })),
      }),
    })
    assert.doesNotMatch(whyNot(report), /not found/)
    assert.match(whyNot(report), /10\.[\d.]+ is .*, so it is not asked; --private says that it is meant\./)
    assert.ok(!lab.internet.asked.some((line) => line.startsWith('10.')))
  })

  test('a top-level domain at private addresses: the zone was not looked for to its end, and why', async (t) => {
    const { report } = await check(t, {
      zones: ({ mx1 }) => ({
        lab: {
          servers: [{ name: 'a.nic.lab', address: freeAddress('10') }],
          records: { 'mx.known.lab': { A: [mx1] }, 'prober.lab': { A: ['127.0.0.1'] } },
        },
      }),
    })
    assert.doesNotMatch(whyNot(report), /was not found/)
    assert.match(whyNot(report), /The zone of the domain was not looked for to its end.*10\.[\d.]+ is .*--private/)
  })

  test('exchangers at private addresses: an error, and no connection is tried', async (t) => {
    const inside = freeAddress('10')
    const { lab, report, code } = await check(t, {
      zone: (zone) => ({ ...zone, records: { ...zone.records, 'mx2.example.lab': { A: [inside] } } }),
    })
    assert.equal(code, 1)
    assert.ok(report.findings.some(({ id, seen }) => id === 'address-not-public' && seen.includes(inside)))
    assert.equal(lab.exchangers[1]?.connections.all, 0)
  })
}
