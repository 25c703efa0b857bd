import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { startLab } from '../lab/lab.ts'

// IPv6 is counted by /64: that is what one host gets.
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

// A machine without IPv6 has no place to listen on.
if (hasIpv6) {
  test('a sender over IPv6 is served, is one client for the limit, and frees its place when it leaves', async (t) => {
    const lab = await startLab(t)
    const backend = await lab.backend()
    const gateway = await lab.gateway({
      deliver: backend,
      listen: [{ address: '::1', port: 0 }],
      limits: { connectionsPerAddress: 2, connectionsPerNetwork: 10 },
    })
    assert.equal(gateway.address, '::1')
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
    // RFC 5321 §4.1.3: an IPv6 literal has its tag.
    assert.match(backend.messages[0]?.content.toString('latin1') ?? '', /^Received: from sender\.test \(\[IPv6:::1\]\)/)

    await lab.until(() => gateway.find('disconnected', { client: '::1' }).length === 1)
    const [first, second] = [await lab.connect(), await lab.connect()]
    for (const sender of [first, second]) await sender.expect(220)
    const third = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([third.step, third.code], ['greeting', 421])
    await first.quit()
    await lab.until(() => gateway.find('disconnected', { client: '::1' }).length >= 2)
    assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  })

  test('a listener on IPv6 takes no IPv4', async (t) => {
    const lab = await startLab(t)
    const gateway = await lab.gateway({ deliver: await lab.backend(), listen: [{ address: '::1', port: 0 }] })
    const socket = connect({ host: '127.0.0.1', port: gateway.port })
    const [error] = await once(socket, 'error')
    assert.equal(error.code, 'ECONNREFUSED')
  })
}
