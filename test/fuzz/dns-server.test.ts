/** Mutated queries against the built-in DNS server, one by one and as streams over TCP. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askTcp, framed, question, read } from '../lab/ask.ts'
import { authorityDefaults, startAuthority } from '../lab/authority.ts'
import { until } from '../lab/until.ts'
import { fuzzRandom } from './chance.ts'
import { corpus, createTarget, examine, fuzzZone, throwMutations } from './dns-server.ts'

test('the corpus', async () => {
  const target = await createTarget()
  assert.ok(corpus.length >= 10)
  const rcodes = new Map(corpus.map(({ name, bytes }) => [name, examine(target, bytes, true)]))
  for (const [name, rcode] of rcodes) {
    const expected = /-(\d+|none)\.hex$/.exec(name)?.[1]
    assert.equal(rcode === undefined ? 'none' : String(rcode), expected, name)
  }
})

test('300,000 mutations', async () => {
  const target = await createTarget()
  const names = target.zones.names
  const seen = throwMutations(target, 300_000, 1035)
  // All of it happens, or the mutations are worth nothing: silence, answers, FORMERR, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH, BADVERS.
  for (const rcode of [-1, 0, 1, 3, 4, 5, 9, 16])
    assert.ok((seen.get(rcode) ?? 0) > 100, `${rcode}: ${seen.get(rcode)}`)
  assert.equal(target.zones.names, names)
})

test('streams of anything over TCP harm nobody else', async (t) => {
  const server = await startAuthority(t, [fuzzZone], {
    tcp: { ...authorityDefaults.tcp, connections: 1000, connectionsPerClient: 1000 },
  })
  const random = fuzzRandom(7766)
  const streams = Array.from({ length: 200 }, (_, index) => {
    const tcp = askTcp(server)
    const messages = Array.from({ length: 20 }, () => {
      const bytes = corpus[Math.floor(random.number() * corpus.length)]?.bytes ?? Buffer.alloc(0)
      const message = framed(bytes)
      if (random.number() < 0.2)
        message[Math.floor(random.number() * message.length)] = Math.floor(random.number() * 256)
      return message
    })
    tcp.write(index % 2 === 0 ? Buffer.concat(messages) : random.bytes(500))
    return tcp
  })
  const honest = askTcp(server)
  honest.write(framed(question('example.test.', 'MX')))
  assert.equal(read(await honest.next()).answers.length, 1)
  for (const { socket } of [...streams, honest]) socket.destroy()
  await until(() => server.authority.statistics.tcpConnections === 0)
})
