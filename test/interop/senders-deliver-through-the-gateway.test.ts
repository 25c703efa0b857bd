/** swaks, Nodemailer and Postfix send through the gateway; what the backend has is what they sent, behind one trace field. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FakeBackend } from '../lab/backend.ts'
import type { LabGateway } from '../lab/gateway.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { behindTrace } from './harness/maildir.ts'
import { awkwardMessage, hundredRecipients, largeMessage, oneRecipient } from './harness/messages.ts'
import { startPostfix } from './harness/postfix.ts'
import { nodemailer, swaks } from './harness/senders.ts'

const mebibyte = 1024 * 1024
const limits = { messageBytes: 64 * mebibyte }
const kinds = [
  { name: 'one recipient, 8-bit', to: oneRecipient, message: awkwardMessage() },
  { name: '100 recipients', to: hundredRecipients, message: awkwardMessage() },
  { name: '50 MiB', to: oneRecipient, message: largeMessage(50 * mebibyte) },
] as const

async function between(lab: Lab): Promise<{ backend: FakeBackend; gateway: LabGateway }> {
  const backend = await lab.backend()
  return { backend, gateway: await lab.gateway({ deliver: backend, tls: true, limits }) }
}

for (const send of [swaks, nodemailer]) {
  for (const tls of [false, true]) {
    test(`${send.name} delivers, ${tls ? 'with STARTTLS' : 'plain'}`, async (t) => {
      const lab = await startLab(t)
      const { backend, gateway } = await between(lab)
      for (const { name, to, message } of kinds) {
        const before = backend.messages.length
        const sent = await send({ via: gateway, to, message, tls })
        assert.ok(sent.isSent, `${name}: ${sent.dialogue.slice(0, 5000)}\n${gateway.text()}`)
        assert.equal(backend.messages.length, before + 1, name)
        const arrived = backend.messages[before]
        assert.deepEqual(arrived?.to, to)
        assert.ok(behindTrace(arrived?.content ?? Buffer.alloc(0)).equals(message), name)
        assert.equal(/\(.*TLS|ESMTPS/.test(String(arrived?.content.subarray(0, 1000))), tls, name)
      }
      assert.deepEqual(backend.violations, [])
    })
  }
}

for (const tlsOut of ['none', 'encrypt'] as const) {
  test(`Postfix delivers, ${tlsOut === 'encrypt' ? 'with STARTTLS' : 'plain'}`, async (t) => {
    const lab = await startLab(t)
    const { backend, gateway } = await between(lab)
    const postfix = await startPostfix(lab, { relayTo: gateway, tlsOut })
    for (const { name, to, message } of kinds) {
      const before = backend.messages.length
      const sent = await lab.send({ via: postfix, to, message })
      assert.equal(sent.code, 250, sent.transcript.join('\n'))
      await lab
        .until(() => backend.messages.length > before)
        .catch(async (error: unknown) => {
          throw new Error(`${name}: ${error}\n${await postfix.log()}\n${gateway.text()}`)
        })
      const arrived = backend.messages[before]
      // Postfix sorts its recipients.
      assert.deepEqual([...(arrived?.to ?? [])].sort(), [...to].sort())
      // Postfix puts its own trace field in front of what it was given, and ours stands before that.
      const ownTrace = behindTrace(arrived?.content ?? Buffer.alloc(0))
      assert.ok(behindTrace(ownTrace, 'postfix.test').equals(message), name)
      assert.match(ownTrace.subarray(0, 100).toString('latin1'), /^Received: /)
    }
    await lab.until(async () => (await postfix.queued()) === 0)
    assert.equal(backend.messages.length, kinds.length)
    assert.deepEqual(backend.violations, [])
  })
}
