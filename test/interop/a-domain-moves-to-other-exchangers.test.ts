/**
 * A whole migration by the command line: the zone at BIND, a Postfix that sends all the time and asks an unbound that honours TTLs, old exchangers
 * that refuse the domain as soon as Waypost says that they may, and new ones that begin to take mail only after the first step. Nothing bounces, nothing is
 * lost. Needs Debian's bind9, unbound, postfix, and root for port 25 and for Postfix's resolver.
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { rdataText } from '../../src/dns/rdata-text.ts'
import { createTransport } from '../../src/dns/transport.ts'
import { typeCodes } from '../../src/dns/types.ts'
import { askServer } from '../../src/publish/sets/ask-server.ts'
import { startLab } from '../lab/lab.ts'
import { labName } from '../lab/names.ts'
import { startBind } from './harness/bind.ts'
import { newKey } from './harness/name-server.ts'
import { startPostfix } from './harness/postfix.ts'
import { run } from './harness/program.ts'
import { startUnbound } from './harness/unbound.ts'

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

const mostOnTheirWay = 3

/** As waypost.yaml writes a variable of the environment. */
const variable = '$' + '{KEY}'

test('a domain moves between two sets of exchangers while mail flows, and nothing bounces or is lost', async (t) => {
  const lab = await startLab(t, 600_000)
  const unknown = '550 5.7.1 we do not know this domain'
  const old = [await lab.backend({ port: 25 }), await lab.backend({ port: 25 })]
  const fresh = [
    await lab.backend({ port: 25, rcpt: () => unknown }),
    await lab.backend({ port: 25, rcpt: () => unknown }),
  ]
  const key = newKey('waypost')
  const hosts = [
    ...old.map(({ address }, at) => `old${at} A ${address}`),
    ...fresh.map(({ address }, at) => `new${at} A ${address}`),
  ]
  const text = `$ORIGIN example.test.
$TTL 25
@ SOA ns hostmaster 1 3600 600 86400 2
@ NS ns
@ MX 10 old0
@ MX 20 old1
@ TXT "v=spf1 mx -all"
ns A 127.0.0.1
${hosts.join('\n')}
`
  const bind = await startBind(lab, { keys: [key], zones: [{ name: 'example.test', text, updateKeys: [key.name] }] })
  const unbound = await startUnbound(lab, ['example.test'], bind)
  const postfix = await startPostfix(lab, {
    isFinal: false,
    resolver: unbound.address,
    main: {
      smtp_dns_support_level: 'enabled',
      smtp_host_lookup: 'dns',
      smtp_connection_cache_on_demand: 'no',
      queue_run_delay: '2s',
      minimal_backoff_time: '2s',
      maximal_backoff_time: '4s',
    },
  })
  const file = join(lab.folder, 'waypost.yaml')
  const exchanger = (name: string, at: number) => ({
    preference: String(10 + 10 * at),
    host: `${name}${at}.example.test`,
  })
  await writeFile(
    file,
    JSON.stringify({
      ...{ hostname: 'waypost.example.test', state: join(lab.folder, 'state') },
      publishers: {
        here: {
          ...{ type: 'rfc2136', server: `${bind.address}:${bind.port}`, servers: `${bind.address}:${bind.port}` },
          tsig: { name: key.name, secret: variable },
        },
      },
      domains: { 'example.test': { exchangers: [0, 1].map((at) => exchanger('old', at)), ttl: '4s', publish: 'here' } },
      resolver: { servers: [`${unbound.address}:53`] },
    }),
  )
  process.env.KEY = key.secret
  const command = async (...words: string[]) => {
    const ran = await run(waypost, [...words, '-c', file, '--private'])
    if (process.env.SHOW)
      process.stderr.write(`$ waypost ${words.join(' ')}\n${ran.stdout}${ran.stderr}[${ran.code}]\n`)
    return ran
  }

  const arrivals = () => [...old, ...fresh].reduce((sum, { accepted }) => sum + accepted.length, 0)
  const transport = createTransport({ clock: systemClock, random: systemRandom, door: systemDoor })
  lab.atEnd(() => transport.close())
  const apexMx = { name: labName('example.test'), code: typeCodes.MX }
  const exchangersSeen = new Set<string>()
  let sent = 0
  let isOver = false
  lab.atEnd(() => {
    isOver = true
    return sending.catch(() => undefined)
  })
  const senders = async () => {
    while (!isOver) {
      const said = await askServer(transport, bind.server, apexMx, 30_000)
      assert.ok(said.kind === 'set', JSON.stringify(said))
      exchangersSeen.add((said.content?.data ?? []).map(rdataText).toSorted().join(', '))
      const answer = await lab.send({ to: 'you@example.test', body: `message ${sent}`, via: postfix })
      assert.equal(answer.code, 250)
      sent++
      // Its pace: some are always on their way, and none pile up at a Postfix that is slow.
      await lab.until(() => isOver || sent - arrivals() < mostOnTheirWay)
    }
  }
  const sending = senders()
  // It ends with the test, however that ends.
  sending.catch(() => undefined)

  const begun = await command(
    'migrate',
    'example.test',
    '--to',
    '10:new0.example.test,20:new1.example.test',
    '--low-ttl',
    '2s',
  )
  assert.equal(begun.code, 0, begun.stderr)

  // Before the new side knows the domain: the first step is harmless, and the second is refused.
  const status = async () => JSON.parse((await command('migrate', 'example.test', '--json')).stdout)
  assert.equal((await command('apply', 'example.test', '--yes')).code, 0)
  const waiting = await status()
  assert.equal(waiting.state, 'wait')
  const tooEarly = await command('apply', 'example.test', '--yes')
  assert.equal(tooEarly.code, 0, tooEarly.stderr)
  assert.match(tooEarly.stdout, /Wait \d+ s: caches may hold the old records/)
  await lab.until(async () => (await status()).state === 'apply')
  const refused = await command('apply', 'example.test', '--yes')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /new0\.example\.test takes no mail for example\.test: 550 5\.7\.1 we do not know/)
  for (const backend of fresh) backend.change({ rcpt: undefined })

  const stages: string[] = []
  await lab.until(async () => {
    const { state, next } = await status()
    if (state !== 'apply') return state === 'done'
    stages.push(next.stage)
    const applied = await command('apply', 'example.test', '--yes')
    assert.equal(applied.code, 0, applied.stderr + applied.stdout)
    return false
  }, 300_000)
  assert.deepEqual(stages, ['add', 'switch', 'raise-ttl'])
  // What came to them from now on would bounce.
  for (const backend of old) backend.change({ rcpt: () => '550 5.1.2 this domain has moved away' })
  const behind = sent
  await lab.until(() => sent >= behind + 20)
  isOver = true
  await sending
  await lab.until(async () => (await postfix.queued()) === 0)
  // At no moment none, nor any other set than those of the steps.
  const [old0, old1] = ['10 old0.example.test.', '20 old1.example.test.']
  assert.deepEqual(
    [...exchangersSeen],
    [
      [old0, old1].join(', '),
      [old0, old1, '30 new0.example.test.', '40 new1.example.test.'].join(', '),
      ['10 new0.example.test.', '20 new1.example.test.'].join(', '),
    ],
  )

  const arrived = [...old, ...fresh].flatMap((backend) =>
    backend.accepted.map(({ content }) => content.toString('latin1')),
  )
  const numbers = new Set(arrived.map((each) => /message (\d+)/.exec(each)?.[1]))
  assert.equal(numbers.size, sent, `${sent} were sent`)
  assert.equal(arrived.length, sent, 'and none came twice')
  assert.ok((fresh[0]?.accepted.length ?? 0) > 0 && (old[0]?.accepted.length ?? 0) > 0)
  assert.doesNotMatch(await postfix.log(), /status=bounced/)
  // It is over, and the file still says what was: apply leaves the new records alone.
  const after = await command('apply', 'example.test', '--yes')
  assert.match(after.stderr, /still declares its exchangers of before/)
  const dig = await run('/usr/bin/dig', [
    `@${bind.address}`,
    '-p',
    String(bind.port),
    '+noall',
    '+answer',
    'example.test',
    'MX',
  ])
  assert.match(dig.stdout, /\s4\s+IN\s+MX\s+10 new0\.example\.test\./)
  assert.doesNotMatch(dig.stdout, /old/)
})
