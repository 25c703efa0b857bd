import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDns } from '../lab/dns.ts'
import { startLab } from '../lab/lab.ts'
import { freeAddress, freePort } from '../lab/loopback.ts'

// What is configured wrong is a person's to mend, and costs the sender no mail.
async function place() {
  const address = freeAddress()
  return { address, port: await freePort(address) }
}

test('our own listener as backend: known at once, 451 4.3.5 and an alert, and one connection', async (t) => {
  const lab = await startLab(t)
  const us = await place()
  const gateway = await lab.gateway({ deliver: `smtp://${us.address}:${us.port}`, listen: [us] })
  for (let time = 0; time < 2; time++) {
    const sent = await lab.send({ to: 'you@example.test' })
    assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
  }
  const [alert] = gateway.find('backend refuses us')
  assert.equal(alert?.level, 'alert')
  assert.match(String(alert?.fields.reply), /5\.4\.6 The route leads back to this very server/)
  assert.ok(gateway.find('connected').length <= 4)
})

test('another backend beside ourselves gets the mail', async (t) => {
  const lab = await startLab(t)
  const us = await place()
  const backend = await lab.backend()
  const deliver = [`smtp://${us.address}:${us.port}`, { to: backend, preference: 20 }]
  await lab.gateway({ deliver, listen: [us] })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(backend.messages.length, 1)
})

test('an exchanger of `mx:` that is ourselves under a name and an address that we do not know as ours', async (t) => {
  const lab = await startLab(t)
  const us = await place()
  const dns = await startDns(t, {
    'other.test': { MX: [[10, 'alias.other.test']] },
    'alias.other.test': { A: ['127.0.0.2'] },
  })
  await lab.gateway({
    deliver: [{ to: 'mx:other.test', mxPort: us.port }],
    listen: [{ address: '0.0.0.0', port: us.port }],
    resolver: { servers: [dns.server] },
  })
  const sent = await lab.send({ to: 'you@example.test', via: { address: '127.0.0.1', port: us.port } })
  assert.deepEqual([sent.step, sent.code, sent.enhanced], ['rcpt', 451, '4.3.5'])
})

test('two gateways that lead to each other end in a 451, and serve others meanwhile', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await place(), await place()]
  const backend = await lab.backend()
  const gateway = (at: typeof one, to: typeof one) =>
    lab.gateway({
      domains: {
        'example.test': { deliver: [{ to: `smtp://${to.address}:${to.port}`, connections: 4 }] },
        'fine.test': { deliver: backend },
      },
      listen: [at],
      budgets: { sessionMs: 200 },
    })
  await gateway(one, other)
  await gateway(other, one)
  const circle = lab.send({ to: 'you@example.test', via: one })
  assert.equal((await lab.send({ to: 'you@fine.test', via: one })).code, 250)
  const sent = await circle
  assert.deepEqual([sent.step, sent.code], ['rcpt', 451])
})
