/**
 * `waypost migrate` beside `healthy: true`: the built-in server answers for these hosts with a shorter TTL than the zone has, and without addresses
 * that are down. That is what the step of their addresses shall be seen as.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'
import { freeAddress } from '../lab/loopback.ts'
import { startMoving } from '../lab/moving.ts'

test('the addresses of watched hosts are seen, and the migration goes on', async (t) => {
  const lab = await startLab(t, 300_000)
  const exchanger = (host: string) => ({ preference: '10', host, addresses: [freeAddress()] })
  const [old, next] = [exchanger('mx1.example.test'), exchanger('mx2.example.test')]
  const { gateway, command } = await startMoving(lab, { exchangers: [old], healthy: 'true' })

  const text = await readFile(gateway.configFile, 'utf8')
  await writeFile(gateway.configFile, text.replace(JSON.stringify(old), JSON.stringify(next)))
  gateway.signal('SIGHUP')
  await lab.until(() => gateway.lines.some((line) => line.event === 'reloaded'))
  await command(0, 'migrate', 'example.test', '--to', 'declared')
  const step = await command(0, 'apply', 'example.test', '--yes', '--no-smtp', '--wait', '1m')
  assert.match(step, /✓ publish the addresses of the new exchangers: mx2\.example\.test 127\./)
  assert.match(step, /> lower the TTL from 3600 to 300/)
})
