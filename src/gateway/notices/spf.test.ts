import assert from 'node:assert/strict'
import { test } from 'node:test'
import { steadyClock } from '../../../test/lab/fast-clock.ts'
import { mailbox } from '../../../test/unit/held-message.ts'
import type { IpAddress } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import type { Rdata } from '../../dns/rdata.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { nameFromHost, nameText, type WireName } from '../../dns/wire-name.ts'
import { askSpf } from './spf.ts'

type Zone = Readonly<Record<string, readonly Rdata[]>>

const txt = (text: string): Rdata => ({ type: 'TXT', strings: [Buffer.from(text)] })
const a = (address: string): Rdata => ({ type: 'A', address: address as IpAddress })
const mx = (preference: number, host: string): Rdata => {
  return { type: 'MX', preference, exchange: nameFromHost(host as HostName) }
}
/** `10.0.0.0` and so many behind it. */
const many = (count: number) => Array.from({ length: count }, (_, index) => a(`10.0.${index >> 8}.${index & 255}`))

/** Asks for `joe@sender.example`; all of DNS is `TYPE name.`, and known at once, as what a cache has is. */
async function ask(zone: Zone, address = '192.0.2.7') {
  const asked: string[] = []
  const resolve = async (name: WireName, type: string) => {
    asked.push(`${type} ${nameText(name)}`)
    const records = zone[`${type} ${nameText(name)}`]
    if (!records) return { kind: 'no-data' }
    return { kind: 'answer', records: records.map((data) => ({ data })) }
  }
  const client = { address: address as IpAddress, port: 40_000, hello: 'mail.example', esmtp: true, tls: undefined }
  const answer = await askSpf(mailbox('joe@sender.example'), client, {
    clock: steadyClock,
    resolver: () => ({ resolve }) as unknown as Resolver,
    hostname: () => 'mx.waypost.test' as HostName,
  })
  return { asked, kind: answer.kind === 'no-pass' ? answer.result : answer.kind }
}

test('of 4,000 addresses the first hundred count, and the one of the client wherever it stands', async () => {
  const zone = (...behind: Rdata[]): Zone => ({
    'TXT sender.example.': [txt('v=spf1 a:host.example/24 -all')],
    'A host.example.': [...many(4_000), ...behind],
  })
  assert.equal((await ask(zone(), '10.0.0.99')).kind, 'pass')
  assert.equal((await ask(zone(a('192.0.2.7')))).kind, 'pass')
  // Were it looked at, its network would let the client pass.
  assert.equal((await ask(zone(a('192.0.2.8')))).kind, 'fail')
})

test('ten hosts with 4,000 addresses each, ten times over, are no work', async () => {
  const zone: Record<string, readonly Rdata[]> = {
    'TXT sender.example.': [txt(`v=spf1 ${'mx '.repeat(10)}-all`)],
    'MX sender.example.': Array.from({ length: 10 }, (_, index) => mx(index, `h${index}.example`)),
  }
  const addresses = Array.from({ length: 4_000 }, (_, index) => {
    return { type: 'AAAA', address: `2001:db8::${index.toString(16)}` as IpAddress } as const
  })
  for (let index = 0; index < 10; index++) zone[`AAAA h${index}.example.`] = addresses
  await import('mailauth/lib/spf/index.js')
  const started = process.cpuUsage()
  assert.equal((await ask(zone, '2001:db8:1::7')).kind, 'fail')
  const { user, system } = process.cpuUsage(started)
  // It takes 0.1 s; 400,000 addresses took several.
  assert.ok(user + system < 1_000_000, String(user + system))
})

test('500 addresses are handed over in all; behind them `exists` is still answered', async () => {
  const hosts = ['a', 'b', 'c', 'd', 'e'].map((host) => `${host}.example`)
  const zone = (last: string): Zone => ({
    'TXT sender.example.': [txt(`v=spf1 ${hosts.map((host) => `a:${host}`).join(' ')} ${last} -all`)],
    ...Object.fromEntries(hosts.map((host) => [`A ${host}.`, many(100)])),
    'A last.example.': [a('10.0.0.0'), a('192.0.2.8')],
  })
  // Were the second one looked at, its network would let the client pass.
  assert.equal((await ask(zone('a:last.example/24'))).kind, 'fail')
  assert.equal((await ask(zone('?exists:last.example'))).kind, 'neutral')
})

// RFC 7208 §4.6.4
test('an mx of ten hosts is good, null ones apart, and one of eleven a permanent error, however many there are', async () => {
  const zone = (hosts: number): Zone => ({
    'TXT sender.example.': [txt('v=spf1 mx -all')],
    'MX sender.example.': [mx(0, '.'), ...Array.from({ length: hosts }, (_, index) => mx(index, `h${index}.example`))],
    'A h9.example.': [a('192.0.2.7')],
  })
  assert.equal((await ask(zone(10))).kind, 'pass')
  const eleven = await ask({ ...zone(11), 'A h9.example.': [] })
  assert.equal(eleven.kind, 'permerror')
  const hostile = await ask({ ...zone(4_000), 'A h9.example.': [] })
  assert.equal(hostile.kind, 'permerror')
  assert.deepEqual(hostile.asked, eleven.asked)
})

test('a record among 1,000 that are none is found, and two are a permanent error', async () => {
  const others = Array.from({ length: 1_000 }, (_, index) => txt(`v=verification ${index}`))
  const record = txt('v=spf1 ip4:192.0.2.7 -all')
  assert.equal((await ask({ 'TXT sender.example.': [...others, record] })).kind, 'pass')
  assert.equal((await ask({ 'TXT sender.example.': [...others, record, record] })).kind, 'permerror')
  assert.equal((await ask({ 'TXT sender.example.': others })).kind, 'none')
})

test('others have their turn between the questions, even where all answers are known', async () => {
  const hosts = Array.from({ length: 10 }, (_, index) => mx(index, `h${index}.example`))
  const zone = { 'TXT sender.example.': [txt('v=spf1 mx -all')], 'MX sender.example.': hosts }
  await import('mailauth/lib/spf/index.js')
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const { asked } = await ask(zone)
  isOver = true
  assert.equal(asked.length, 12)
  assert.ok(turns >= asked.length, String(turns))
})
