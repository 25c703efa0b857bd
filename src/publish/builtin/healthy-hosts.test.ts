import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labName } from '../../../test/lab/names.ts'
import { type IpAddress, parseIp } from '../../base/ip.ts'
import type { ZoneSource } from '../../dns/authoritative/zone.ts'
import type { HostName } from '../../dns/name.ts'
import type { Declaration } from '../declare/declaration.ts'
import { createHealthyMarker, healthyHosts, watchedAddresses } from './healthy-hosts.ts'

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(text)

const declaration = (domain: string, host: string, addresses: string[] | undefined, isHealthy = true): Declaration => ({
  ...{ domain: domain as HostName, ttlSeconds: 60, publisher: 'builtin', texts: [], absent: [] },
  exchangers: [{ preference: 10, host: host as HostName, addresses: addresses?.map(ip) }],
  ...(isHealthy ? { isHealthy } : {}),
})

const declarations = [
  declaration('example.test', 'mx.example.test', ['192.0.2.1', '192.0.2.2']),
  declaration('other.test', 'mx.sub.example.test', ['192.0.2.3']),
  declaration('plain.test', 'mx.plain.test', ['192.0.2.4'], false),
  declaration('bare.test', 'mx.bare.test', undefined),
]

test('watched is what healthy sets have addresses for, but not ourselves', () => {
  const watched = watchedAddresses(declarations, new Set([ip('192.0.2.1')]))
  assert.deepEqual(
    [...watched],
    [
      ['192.0.2.2', 'mx.example.test'],
      ['192.0.2.3', 'mx.sub.example.test'],
    ],
  )
})

test('a host belongs to the closest zone; what did not change stays the same object', () => {
  const zone = (name: string): ZoneSource => ({ origin: labName(name), records: [] })
  const zones = [zone('example.test'), zone('sub.example.test'), zone('plain.test')]
  const mark = createHealthyMarker()
  const marked = mark(zones, healthyHosts(declarations))
  assert.deepEqual(
    marked.map(({ healthy }) => healthy),
    [[labName('mx.example.test')], [labName('mx.sub.example.test')], undefined],
  )
  assert.deepEqual(
    mark(zones, healthyHosts(declarations)).map((each, index) => each === marked[index]),
    [true, true, true],
  )
  const fewer = mark(zones, healthyHosts(declarations.slice(0, 1)))
  assert.equal(fewer[0], marked[0])
  assert.equal(fewer[1], zones[1])
})
