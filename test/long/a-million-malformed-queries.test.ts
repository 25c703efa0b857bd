/** A million mutated queries: the built-in DNS server neither fails nor grows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTarget, throwMutations } from '../fuzz/dns-server.ts'

test('a million malformed queries: no crash, no growth', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const inUse = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const target = await createTarget()
  throwMutations(target, 200_000, 1)
  const before = inUse()
  throwMutations(target, 1_000_000, 2)
  const grownBytes = inUse() - before
  assert.ok(grownBytes < 2_000_000, `${grownBytes} octets more than before`)
})
