import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ExchangerWords, startExchanger } from '../../test/lab/exchanger.ts'
import { steadyClock } from '../../test/lab/fast-clock.ts'
import { freeAddress, freePort } from '../../test/lab/loopback.ts'
import { type Door, systemDoor } from '../base/door.ts'
import { parseIp } from '../base/ip.ts'
import { knock } from './knock.ts'

const at = (address: string, port: number, limitMs = 20_000, isPrivate = true, door: Door = systemDoor) =>
  knock(
    { address: parseIp(address) ?? assert.fail(), port, hello: 'node1.example.test', limitMs, isPrivate },
    { clock: steadyClock, door },
  )

async function exchanger(t: TestContext, words: Partial<ExchangerWords>) {
  return startExchanger(t, { name: 'mx.example.test', ...words })
}

test('it greets and answers EHLO: it is up, and hears nothing of any mail', async (t) => {
  const { address, port, commands } = await exchanger(t, {})
  assert.deepEqual(await at(address, port), { kind: 'up' })
  assert.deepEqual(commands.slice(0, 1), ['EHLO node1.example.test'])
  assert.ok(!commands.some((command) => /^MAIL|^RCPT/.test(command)), commands.join())
})

test('nobody listens; a connection closed; silence to the end of the time; and a 421: it is down', async (t) => {
  const empty = freeAddress()
  const refused = await at(empty, await freePort(empty))
  assert.ok(refused.kind === 'down' && refused.isRefused, JSON.stringify(refused))
  const words: Partial<ExchangerWords>[] = [{ greeting: 'close' }, { greeting: '421 4.3.2 too busy' }]
  for (const word of words) {
    const { address, port } = await exchanger(t, word)
    const said = await at(address, port)
    assert.ok(said.kind === 'down' && !said.isRefused, JSON.stringify([word, said]))
  }
  const silent = await exchanger(t, { greeting: 'silence' })
  const said = await at(silent.address, silent.port, 300)
  assert.ok(said.kind === 'down' && !said.isRefused, JSON.stringify(said))
})

test('one that does not want us is there for others', async (t) => {
  for (const greeting of ['554 5.7.1 not you', '220 mx.example.test ESMTP']) {
    const { address, port } = await exchanger(t, { greeting, ehlo: '550 5.7.1 not you', helo: '550 5.7.1 not you' })
    assert.deepEqual(await at(address, port), { kind: 'up' }, greeting)
  }
})

test('what the door forbids, or our own network cannot reach, says nothing', async () => {
  const forbidden = await at('127.0.0.1', 25, 1_000, false)
  assert.equal(forbidden.kind, 'not-asked')
  // The documentation's prefix is routed nowhere; from a source on loopback the system says so itself.
  const door: Door = {
    open: (purpose, target, isPrivate) => {
      const opening = systemDoor.open(purpose, target, isPrivate)
      if (opening.kind === 'opened')
        process.nextTick(() => opening.socket.destroy(Object.assign(new Error('no way'), { code: 'ENETUNREACH' })))
      return opening
    },
  }
  assert.equal((await at(freeAddress(), 9, 5_000, true, door)).kind, 'not-asked')
})
