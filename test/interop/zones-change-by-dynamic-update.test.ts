/**
 * Dynamic updates of ours to real BIND 9, Knot and PowerDNS, and what became of them by `dig`. Needs Debian's bind9, bind9-utils,
 * bind9-dnsutils, knot, pdns-server, pdns-backend-sqlite3 and nsd.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { Rdata } from '../../src/dns/rdata.ts'
import type { TsigProblem } from '../../src/dns/tsig/answer-reader.ts'
import { findTsig } from '../../src/dns/tsig/record.ts'
import { signRequest } from '../../src/dns/tsig/request.ts'
import { rcodes, typeCodes } from '../../src/dns/types.ts'
import { createUpdateClient, type UpdateClient, type UpdateOutcome } from '../../src/dns/update/client.ts'
import { type Change, encodeUpdate, type Prerequisite, type Update } from '../../src/dns/update/message.ts'
import { type Lab, startLab } from '../lab/lab.ts'
import { labAddress, labName } from '../lab/names.ts'
import { startTcpServer } from '../lab/tcp-server.ts'
import { startBind } from './harness/bind.ts'
import { startKnot } from './harness/knot.ts'
import {
  type Home,
  type KeyWords,
  type NameServerWords,
  newKey,
  type RealNameServer,
  tsigKey,
} from './harness/name-server.ts'
import { startNsd } from './harness/nsd.ts'
import { startPowerDns } from './harness/powerdns.ts'
import { run, runWell } from './harness/program.ts'

type Start = (home: Home, words: NameServerWords) => Promise<RealNameServer>

const zone = labName('example.test')
const mx = (preference: number, exchange: string): Rdata => ({ type: 'MX', preference, exchange: labName(exchange) })
const txt = (text: string): Rdata => ({ type: 'TXT', strings: [Buffer.from(text)] })
const a = (address: string): Rdata => ({ type: 'A', address: labAddress(address) })
const before = [mx(10, 'mx1.example.test'), mx(20, 'mx2.example.test')]

const add = (data: Rdata, ttlSeconds = 300, name = zone): Change => ({ kind: 'add', name, ttlSeconds, data })
const remove = (data: Rdata, name = zone): Change => ({ kind: 'delete-record', name, data })
const setIs = (records: readonly Rdata[], name = zone): Prerequisite => ({ kind: 'rrset-is', name, records })

function clientOf(server: RealNameServer, key: KeyWords | undefined, clock: Clock = systemClock): UpdateClient {
  const options = { server: server.server, key: key && tsigKey(key), timeoutMs: 60_000 }
  return createUpdateClient(options, { clock, random: systemRandom, door: systemDoor })
}

/** `TTL type data` of each record, sorted, as dig has them. */
async function live(server: RealNameServer, name: string, type: string): Promise<string[]> {
  const place = [`@${server.address}`, '-p', String(server.port)]
  const { stdout } = await runWell('dig', ['+tcp', '+noall', '+answer', '+time=30', '+tries=1', ...place, name, type])
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith(';'))
    .map((line) => line.split(/\s+/).toSpliced(2, 1).slice(1).join(' '))
    .sort()
}

async function startWith(start: Start, lab: Lab) {
  const key = newKey('waypost')
  const strong = newKey('strong.waypost.test', 'hmac-sha512')
  const middle = newKey('middle', 'hmac-sha384')
  const stranger = newKey('stranger')
  const server = await start(lab, {
    keys: [key, strong, middle, stranger],
    zones: [
      { name: 'example.test', updateKeys: [key.name, strong.name, middle.name], transfer: [key.name] },
      { name: 'closed.test' },
    ],
  })
  const send = (update: Partial<Update>, by: KeyWords | undefined = key, clock?: Clock): Promise<UpdateOutcome> =>
    clientOf(server, by, clock).send({ zone, prerequisites: [], changes: [], ...update })
  return { server, key, strong, middle, stranger, send }
}

const tsig = (problem: TsigProblem, skewSeconds?: number): UpdateOutcome => ({
  kind: 'tsig',
  problem,
  skewSeconds,
  rcode: rcodes.notAuth,
  mayBeDone: false,
})
const refused = (isSigned: boolean): UpdateOutcome => ({ kind: 'refused', rcode: 'REFUSED', isSigned })
const notAuth = (isSigned: boolean): UpdateOutcome => ({ kind: 'not-authoritative', rcode: 'NOTAUTH', isSigned })

/** What each server makes of an update that it does not want. */
interface Said {
  readonly unknownKey: UpdateOutcome
  readonly wrongSecret: UpdateOutcome
  readonly wrongAlgorithm: UpdateOutcome
  /** A key that it has, and that may not change this zone. */
  readonly notAllowed: UpdateOutcome
  readonly unsigned: UpdateOutcome
  wrongTime(skewSeconds: number): UpdateOutcome
  readonly closedZone: UpdateOutcome
  readonly noSuchZone: UpdateOutcome
}

const bind: Said = {
  unknownKey: tsig('bad-key'),
  wrongSecret: tsig('bad-signature'),
  wrongAlgorithm: tsig('bad-key'),
  notAllowed: refused(true),
  unsigned: refused(false),
  wrongTime: (skewSeconds) => tsig('bad-time', skewSeconds),
  closedZone: refused(true),
  noSuchZone: notAuth(true),
}
/** To Knot, a key that may not do it is no key; and of a zone that it has not, it says so without a signature. */
const knot: Said = {
  ...bind,
  notAllowed: tsig('bad-key'),
  unsigned: notAuth(false),
  closedZone: tsig('bad-key'),
  noSuchZone: notAuth(false),
}
/** PowerDNS 4.7 says REFUSED to everything, and signs it only where the signature was right. */
const powerDns: Said = {
  unknownKey: refused(false),
  wrongSecret: refused(false),
  wrongAlgorithm: refused(false),
  notAllowed: refused(true),
  unsigned: refused(false),
  wrongTime: () => refused(false),
  closedZone: refused(true),
  noSuchZone: refused(true),
}

const untouched = ['300 MX 10 mx1.example.test.', '300 MX 20 mx2.example.test.']

const servers: readonly (readonly [string, Start, Said])[] = [
  ['BIND', startBind, bind],
  ['Knot', startKnot, knot],
  ['PowerDNS', startPowerDns, powerDns],
]

for (const [name, start, said] of servers) {
  test(`${name}: records are added, changed and deleted, and what was not meant stays as it was`, async (t) => {
    const lab = await startLab(t)
    const { server, send, strong, middle } = await startWith(start, lab)
    const others = async () => [await live(server, 'example.test', 'TXT'), await live(server, 'example.test', 'NS')]
    const othersBefore = await others()

    // One exchanger for another, where the set is as it was read.
    const change = {
      prerequisites: [setIs(before)],
      changes: [remove(mx(10, 'mx1.example.test')), add(mx(5, 'new.example.net'))],
    }
    assert.deepEqual(await send(change), { kind: 'done' })
    assert.deepEqual(await live(server, 'example.test', 'MX'), [
      '300 MX 20 mx2.example.test.',
      '300 MX 5 new.example.net.',
    ])
    assert.deepEqual(await others(), othersBefore)

    // A null MX, a name that was not there, and each algorithm.
    const nullMx = { kind: 'delete-rrset', name: zone, type: typeCodes.MX } as const
    assert.deepEqual(
      await send({ changes: [nullMx, add({ type: 'MX', preference: 0, exchange: labName('.') })] }, strong),
      { kind: 'done' },
    )
    assert.deepEqual(await live(server, 'example.test', 'MX'), ['300 MX 0 .'])
    const policy = labName('_mta-sts.example.test')
    const absent: Prerequisite = { kind: 'name-not-in-use', name: policy }
    assert.deepEqual(
      await send({ prerequisites: [absent], changes: [add(txt('v=STSv1; id=1'), 60, policy)] }, middle),
      { kind: 'done' },
    )
    assert.deepEqual(await live(server, '_mta-sts.example.test', 'TXT'), ['60 TXT "v=STSv1; id=1"'])

    // Another TTL for the whole set: out and in again, in one message.
    const slower = before.map((data) => add(data, 3_600))
    assert.deepEqual(await send({ changes: [nullMx, ...slower] }), { kind: 'done' })
    assert.deepEqual(await live(server, 'example.test', 'MX'), [
      '3600 MX 10 mx1.example.test.',
      '3600 MX 20 mx2.example.test.',
    ])

    // One TXT of several, a set, a name.
    const spf = txt('v=spf1 mx -all')
    assert.deepEqual(await send({ changes: [remove(spf), add(txt('v=spf1 mx ~all'))] }), { kind: 'done' })
    assert.deepEqual(await live(server, 'example.test', 'TXT'), [
      '300 TXT "another-string"',
      '300 TXT "v=spf1 mx ~all"',
    ])
    assert.deepEqual(
      await send({ changes: [{ kind: 'delete-rrset', name: labName('www.example.test'), type: typeCodes.A }] }),
      { kind: 'done' },
    )
    assert.deepEqual(await send({ changes: [{ kind: 'delete-name', name: policy }] }), { kind: 'done' })
    assert.deepEqual(await live(server, 'www.example.test', 'A'), [])
    assert.deepEqual(await live(server, '_mta-sts.example.test', 'TXT'), [])
  })

  test(`${name}: a prerequisite that does not hold changes nothing`, async (t) => {
    const lab = await startLab(t)
    const { server, send } = await startWith(start, lab)
    const gone = labName('gone.example.test')
    const www = labName('www.example.test')
    const failing: readonly (readonly [Prerequisite, string])[] = [
      [setIs([mx(10, 'mx1.example.test')]), 'NXRRSET'],
      [setIs([...before, mx(30, 'mx3.example.test')]), 'NXRRSET'],
      [setIs([a('192.0.2.1')], gone), 'NXRRSET'],
      [{ kind: 'rrset-exists', name: www, type: typeCodes.MX }, 'NXRRSET'],
      [{ kind: 'rrset-absent', name: zone, type: typeCodes.MX }, 'YXRRSET'],
      [{ kind: 'name-in-use', name: gone }, 'NXDOMAIN'],
      [{ kind: 'name-not-in-use', name: www }, 'YXDOMAIN'],
    ]
    for (const [prerequisite, rcode] of failing) {
      const outcome = await send({ prerequisites: [prerequisite], changes: [add(mx(1, 'wrong.example.test'))] })
      assert.deepEqual(outcome, { kind: 'prerequisite-failed', rcode, isSigned: true }, prerequisite.kind)
    }
    assert.deepEqual(await live(server, 'example.test', 'MX'), [
      '300 MX 10 mx1.example.test.',
      '300 MX 20 mx2.example.test.',
    ])

    const holding: Prerequisite[] = [
      setIs(before.toReversed()),
      { kind: 'rrset-exists', name: zone, type: typeCodes.TXT },
      { kind: 'rrset-absent', name: www, type: typeCodes.MX },
      { kind: 'name-in-use', name: www },
      { kind: 'name-not-in-use', name: gone },
    ]
    const changes = [add(mx(1, 'www.example.test'))]
    assert.deepEqual(await send({ prerequisites: holding, changes }), { kind: 'done' })
    assert.equal((await live(server, 'example.test', 'MX')).length, 3)
  })

  test(`${name}: wrong key, wrong secret, wrong algorithm, wrong time, wrong zone, a server that is gone`, async (t) => {
    const lab = await startLab(t)
    const { server, key, stranger, send } = await startWith(start, lab)
    const changes = [add(mx(1, 'wrong.example.test'))]
    const off = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms })
    const nobody = newKey('nobody')
    const other = newKey(key.name)
    const longer = newKey(key.name, 'hmac-sha512')
    assert.deepEqual(await send({ changes }, nobody), said.unknownKey)
    assert.deepEqual(await send({ changes }, other), said.wrongSecret)
    assert.deepEqual(await send({ changes }, longer), said.wrongAlgorithm)
    assert.deepEqual(await send({ changes }, stranger), said.notAllowed)
    assert.deepEqual(await clientOf(server, undefined).send({ zone, prerequisites: [], changes }), said.unsigned)
    for (const skewSeconds of [400, -400]) {
      const outcome = await send({ changes }, key, off(-skewSeconds * 1_000))
      assert.deepEqual(aboutEqual(outcome, skewSeconds), said.wrongTime(skewSeconds))
    }
    const elsewhere = (zone: string): Partial<Update> => ({
      zone: labName(zone),
      changes: [add(txt('x'), 60, labName(zone))],
    })
    assert.deepEqual(await send(elsewhere('closed.test')), said.closedZone)
    assert.deepEqual(await send(elsewhere('nowhere.test')), said.noSuchZone)
    const outside = [...changes, add(txt('x'), 60, labName('example.net'))]
    assert.deepEqual(await send({ changes: outside }), { kind: 'outside-zone', isSigned: true })
    assert.deepEqual(await live(server, 'example.test', 'MX'), untouched)

    await server.stop()
    assert.deepEqual(await send({ changes }), { kind: 'unreachable', why: 'ECONNREFUSED' })
  })
}

/** Some time may pass in between. */
function aboutEqual(outcome: UpdateOutcome, skewSeconds: number): UpdateOutcome {
  const isNear = outcome.kind === 'tsig' && Math.abs((outcome.skewSeconds ?? 0) - skewSeconds) <= 60
  return isNear ? { ...outcome, skewSeconds } : outcome
}

for (const [name, start] of [
  ['BIND', startBind],
  ['Knot', startKnot],
] as const) {
  test(`${name}: a key for MX and TXT alone changes these and nothing else`, async (t) => {
    const lab = await startLab(t)
    const key = newKey('mail-only')
    const zones = [{ name: 'example.test', updateKeys: [key.name], updateTypes: ['MX', 'TXT'] }]
    const server = await start(lab, { keys: [key], zones })
    const send = (changes: readonly Change[]) =>
      clientOf(server, key).send({ zone, prerequisites: [setIs(before)], changes })
    const host = labName('mx1.example.test')
    const refused = await send([remove(a('192.0.2.1'), host), add(a('192.0.2.9'), 300, host)])
    assert.deepEqual(refused.kind === 'tsig' ? refused.problem : refused.kind, name === 'BIND' ? 'refused' : 'bad-key')
    assert.deepEqual(await live(server, 'mx1.example.test', 'A'), ['300 A 192.0.2.1'])
    assert.deepEqual(await send([add(txt('allowed')), remove(mx(20, 'mx2.example.test'))]), { kind: 'done' })
    assert.deepEqual(await live(server, 'example.test', 'MX'), ['300 MX 10 mx1.example.test.'])
  })
}

test('BIND refuses an exchanger of its own zone that has no address, and says no more than that', async (t) => {
  const lab = await startLab(t)
  const { server, send } = await startWith(startBind, lab)
  const outcome = await send({ changes: [add(mx(1, 'nowhere.example.test'))] })
  assert.deepEqual(outcome, { kind: 'refused', rcode: 'REFUSED', isSigned: true })
  assert.deepEqual(await live(server, 'example.test', 'MX'), untouched)
})

test('another editor was faster: the set is no longer what it was, and theirs stays', async (t) => {
  const lab = await startLab(t)
  const { server, key, send } = await startWith(startBind, lab)
  const input = `server ${server.address} ${server.port}
zone example.test
update add example.test 300 MX 15 www.example.test.
send
`
  await runWell('nsupdate', ['-v', '-y', `${key.algorithm}:${key.name}:${key.secret}`], input)
  const outcome = await send({ prerequisites: [setIs(before)], changes: [remove(mx(20, 'mx2.example.test'))] })
  assert.deepEqual(outcome, { kind: 'prerequisite-failed', rcode: 'NXRRSET', isSigned: true })
  assert.deepEqual(await live(server, 'example.test', 'MX'), [...untouched, '300 MX 15 www.example.test.'].sort())
})

test('a server that hangs may still do it: nobody knows, and the prerequisite keeps a second try from harm', async (t) => {
  const lab = await startLab(t)
  const { server, key, send } = await startWith(startBind, lab)
  const update = { zone, prerequisites: [setIs(before)], changes: [remove(mx(20, 'mx2.example.test'))] }
  process.kill(server.pid, 'SIGSTOP')
  await lab.until(() => isStopped(server.pid))
  const options = { server: server.server, key: tsigKey(key), timeoutMs: 300 }
  const hasty = createUpdateClient(options, { clock: systemClock, random: systemRandom, door: systemDoor })
  const outcome = await hasty.send(update)
  process.kill(server.pid, 'SIGCONT')
  assert.deepEqual(outcome, { kind: 'unknown', why: 'no answer within 300 ms' })
  await lab.until(async () => (await live(server, 'example.test', 'MX')).length === 1)
  assert.deepEqual(await send(update), { kind: 'prerequisite-failed', rcode: 'NXRRSET', isSigned: true })
})

test('what a server leaves out is done all the same: a CNAME beside other records', async (t) => {
  const lab = await startLab(t)
  const { server, send } = await startWith(startBind, lab)
  const cname: Change = add({ type: 'CNAME', target: labName('example.net') })
  assert.deepEqual(await send({ changes: [cname] }), { kind: 'done' })
  assert.deepEqual(await live(server, 'example.test', 'CNAME'), [])
})

test('NSD does not know dynamic update', async (t) => {
  const lab = await startLab(t)
  const key = newKey('waypost')
  const server = await startNsd(lab, { keys: [key], zones: [{ name: 'example.test' }] })
  for (const by of [key, undefined]) {
    const outcome = await clientOf(server, by).send({
      zone,
      prerequisites: [],
      changes: [add(mx(1, 'www.example.test'))],
    })
    assert.equal(outcome.kind, 'not-implemented')
  }
})

test('nsupdate sends the same octets for the same update, key, id and time', async (t) => {
  const lab = await startLab(t)
  for (const key of [newKey('waypost'), newKey('way.post', 'hmac-sha384'), newKey('waypost', 'hmac-sha512')]) {
    const { server, asked } = await startTcpServer(t, (_asked, _say, socket) => socket.end())
    const keyFile = join(lab.folder, `${key.algorithm}.key`)
    await writeFile(keyFile, `key "${key.name}" { algorithm ${key.algorithm}; secret "${key.secret}"; };\n`)
    const input = `server ${server.address} ${server.port}
zone example.test
prereq yxrrset example.test MX
prereq yxrrset example.test IN MX 10 mx1.example.test.
prereq yxrrset example.test IN MX 20 mx2.example.test.
prereq nxrrset www.example.test MX
prereq yxdomain www.example.test
prereq nxdomain gone.example.test
update delete example.test IN MX 10 mx1.example.test.
update add example.test 3600 IN MX 5 new.example.net.
update add www.example.test 60 IN TLSA 3 1 1 00ff
update delete www.example.test A
update delete old.example.test
send
`
    await run('nsupdate', ['-v', '-t', '5', '-r', '0', '-k', keyFile], { input, timeoutMs: 20_000 })
    const theirs = asked[0]
    assert.ok(theirs)
    const found = findTsig(theirs)
    assert.ok(found.kind === 'tsig')
    const ours = encodeUpdate(sameUpdate, theirs.readUInt16BE(0), 65_000)
    assert.ok(ours)
    const { bytes } = signRequest(ours, tsigKey(key), found.tsig.timeSeconds)
    assert.equal(bytes.toString('hex'), theirs.toString('hex'))
  }
})

const www = labName('www.example.test')
const sameUpdate: Update = {
  zone,
  prerequisites: [
    { kind: 'rrset-exists', name: zone, type: typeCodes.MX },
    setIs(before),
    { kind: 'rrset-absent', name: www, type: typeCodes.MX },
    { kind: 'name-in-use', name: www },
    { kind: 'name-not-in-use', name: labName('gone.example.test') },
  ],
  changes: [
    remove(mx(10, 'mx1.example.test')),
    add(mx(5, 'new.example.net'), 3_600),
    add({ type: 'TLSA', usage: 3, selector: 1, matching: 1, data: Buffer.from([0, 255]) }, 60, www),
    { kind: 'delete-rrset', name: www, type: typeCodes.A },
    { kind: 'delete-name', name: labName('old.example.test') },
  ],
}

/** Of several threads, each stops when it is given the processor next. */
const isStopped = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).every((thread) =>
    /\) [Tt] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
  )
