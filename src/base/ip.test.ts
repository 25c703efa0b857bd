import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  clientKey,
  type IpAddress,
  inNetwork,
  ipBytes,
  ipFromBytes,
  isIpv6,
  networkKey,
  parseIp,
  parseNetwork,
  prefix,
  whyNotPublic,
} from './ip.ts'

const ip = (text: string): IpAddress => parseIp(text) ?? assert.fail(`${text} is no address`)

test('an address has one form; what programs read differently is none', () => {
  for (const text of ['192.0.2.1', '0.0.0.0', '255.255.255.255', '::', '::1', '2001:db8::1'])
    assert.equal(parseIp(text), text)
  const none = [
    ...[
      '127.1',
      '0127.0.0.1',
      '127.0.0.01',
      '2130706433',
      '0x7f.0.0.1',
      '0x7f000001',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
    ],
    ...[
      'fe80::1%eth0',
      '::1%0',
      '::ffff:127.1',
      '[::1]',
      '1::2::3',
      ':::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '12345::',
    ],
    ...['', ' ', '192.0.2.1 ', ' ::1', '192.0.2.1/32', '192.0.2.1:25', 'localhost', '１.2.3.4', '192.0.2.1\0'],
  ]
  for (const text of none) assert.equal(parseIp(text), undefined, JSON.stringify(text))
})

test('a v4-mapped address is the IPv4 address, however it is written; a v4-compatible one is not', () => {
  for (const text of ['::ffff:192.0.2.1', '::FFFF:c000:0201', '0:0:0:0:0:ffff:192.0.2.1', '0000::ffff:c000:201'])
    assert.equal(parseIp(text), '192.0.2.1', text)
  assert.equal(parseIp('::192.0.2.1'), '::c000:201')
  assert.equal(parseIp('::fffe:192.0.2.1'), '::fffe:c000:201')
  assert.equal(parseIp('1::ffff:192.0.2.1'), '1::ffff:c000:201')
})

// RFC 5952 §4.1–§4.3
test('IPv6 text: lower case, no leading zeros, the first longest run of zeros shortened, never a single zero', () => {
  for (const [written, canonical] of [
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['0:0:1:0:0:0:0:0', '0:0:1::'],
    ['ABCD:EF01::', 'abcd:ef01::'],
  ] as const)
    assert.equal(parseIp(written), canonical)
})

test('one client is an IPv4 address or a /64; one network is a /24 or a /48', () => {
  assert.equal(clientKey(ip('192.0.2.77')), '192.0.2.77')
  assert.equal(clientKey(ip('2001:db8:1:2:3:4:5:6')), '2001:db8:1:2::/64')
  assert.equal(clientKey(ip('2001:db8:1:2::')), clientKey(ip('2001:db8:1:2:ffff:ffff:ffff:ffff')))
  assert.notEqual(clientKey(ip('2001:db8:1:2::1')), clientKey(ip('2001:db8:1:3::1')))
  assert.equal(clientKey(ip('::ffff:192.0.2.77')), '192.0.2.77')
  assert.equal(networkKey(ip('192.0.2.77')), '192.0.2.0/24')
  assert.notEqual(networkKey(ip('192.0.2.77')), networkKey(ip('192.0.3.77')))
  assert.equal(networkKey(ip('2001:db8:1:2:3:4:5:6')), '2001:db8:1::/48')
  assert.notEqual(networkKey(ip('2001:db8:1::1')), networkKey(ip('2001:db8:2::1')))
})

test('prefix keeps the leading bits, to the bit', () => {
  for (const [address, bits, network] of [
    ['255.255.255.255', 0, '0.0.0.0/0'],
    ['255.255.255.255', 1, '128.0.0.0/1'],
    ['255.255.255.255', 23, '255.255.254.0/23'],
    ['192.0.2.255', 31, '192.0.2.254/31'],
    ['192.0.2.255', 32, '192.0.2.255/32'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 0, '::/0'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 17, 'ffff:8000::/17'],
    ['2001:db8::ffff', 127, '2001:db8::fffe/127'],
    ['2001:db8::ffff', 128, '2001:db8::ffff/128'],
  ] as const)
    assert.equal(prefix(ip(address), bits), network)
})

test('a network is a CIDR or one address; bits behind the prefix are a mistake', () => {
  assert.deepEqual(parseNetwork('192.0.2.0/24'), { address: '192.0.2.0', bits: 24 })
  assert.deepEqual(parseNetwork('192.0.2.1'), { address: '192.0.2.1', bits: 32 })
  assert.deepEqual(parseNetwork('2001:DB8:0::/32'), { address: '2001:db8::', bits: 32 })
  assert.deepEqual(parseNetwork('::1'), { address: '::1', bits: 128 })
  assert.deepEqual(parseNetwork('0.0.0.0/0'), { address: '0.0.0.0', bits: 0 })
  const none = [
    ...['192.0.2.1/24', '192.0.2.0/33', '192.0.2.0/', '192.0.2.0/024', '192.0.2.0/-1', '192.0.2.0/+8', '192.0.2.0/ 8'],
    ...['192.0.2.0/24/24', '192.0.2.0/255.255.255.0', '192.0/16', '/24', '', '2001:db8::1/64', '2001:db8::/129'],
    // It would read as a /104 of IPv4.
    '::ffff:10.0.0.0/104',
  ]
  for (const text of none) assert.equal(parseNetwork(text), undefined, text)
})

// RFC 6890 and its registry; RFC 7526 for 6to4
test('an address that not everybody reaches is told in words; the last one before and the first behind it are public', () => {
  const special = [
    ...[
      '0.1.2.3',
      '10.0.0.1',
      '100.64.0.1',
      '100.127.255.255',
      '127.0.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.9.9',
    ],
    ...['192.0.0.1', '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.19.255.255', '198.51.100.1'],
    ...['203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '::', '::1', '100::1', '2001:2::1', '2001:10::1'],
    ...['2001:db8::1', '3fff::1', 'fc00::1', 'fd12::1', 'fe80::1', 'febf::1', 'ff02::1', '64:ff9b:1::1', 'fec0::1'],
    ...['::102:304', '4000::1', '1::1'],
  ]
  for (const text of special) assert.equal(typeof whyNotPublic(ip(text)), 'string', text)
  const open = [
    ...['1.0.0.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
    ...[
      '172.15.255.255',
      '172.32.0.0',
      '192.0.1.1',
      '192.167.255.255',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
    ],
    ...['2001:4860:4860::8888', '2a00::1', '2000::1', '2001:db9::1'],
  ]
  for (const text of open) assert.equal(whyNotPublic(ip(text)), undefined, text)
  assert.match(whyNotPublic(ip('127.0.0.1')) ?? '', /loopback/)
  assert.match(whyNotPublic(ip('::ffff:127.0.0.1')) ?? '', /loopback/)
})

test('IPv4 within 6to4, NAT64 and Teredo is judged as the IPv4 that it reaches', () => {
  for (const [form, inside, outside] of [
    // RFC 3056 §2: behind the first 16 bits.
    ['6to4', '2002:7f00:1::1', '2002:808:808::1'],
    // RFC 6052 §2.1: the last 32 bits.
    ['NAT64', '64:ff9b::127.0.0.1', '64:ff9b::8.8.8.8'],
    // RFC 4380 §4: the client's, the last 32 bits, each inverted.
    ['Teredo', '2001:0:4136:e378:8000:63bf:80ff:fffe', '2001:0:7f00:1:8000:63bf:f7f7:f7f7'],
  ] as const) {
    assert.match(whyNotPublic(ip(inside)) ?? '', new RegExp(`${form} form of 127\\.0\\.0\\.1, which is loopback`))
    assert.equal(whyNotPublic(ip(outside)), undefined, outside)
  }
  assert.match(whyNotPublic(ip('2002:a9fe:a9fe::')) ?? '', /169\.254\.169\.254, which is link-local/)
})

const octets = (count: number) => fc.uint8Array({ minLength: count, maxLength: count })
const addresses = fc.oneof(octets(4), octets(16)).map(ipFromBytes)
/** An address, a prefix length, and another address that shares some of its bits: as a rule neither all nor none. */
const pairs = fc.oneof(fc.tuple(octets(4), octets(4)), fc.tuple(octets(16), octets(16))).chain(([first, second]) =>
  fc.record({
    first: fc.constant(first),
    second: fc.constant(second),
    bits: fc.integer({ min: 0, max: first.length * 8 }),
    shared: fc.integer({ min: 0, max: first.length * 8 }),
  }),
)

test('inNetwork agrees with net.BlockList', () => {
  fc.assert(
    fc.property(pairs, ({ first, second, bits, shared }) => {
      const near = second.map((octet, index) => {
        const mask = 0xff & ~(0xff >> Math.max(0, Math.min(8, shared - index * 8)))
        return ((first[index] ?? 0) & mask) | (octet & ~mask)
      })
      const [base, address] = [ipFromBytes(first), ipFromBytes(near)]
      // A v4-mapped one has become IPv4, and its prefix with it.
      fc.pre(isIpv6(base) === (first.length === 16) && isIpv6(address) === isIpv6(base))
      const network = parseNetwork(prefix(base, bits)) ?? assert.fail(prefix(base, bits))
      const family = isIpv6(base) ? 'ipv6' : 'ipv4'
      const list = new BlockList()
      list.addSubnet(network.address, bits, family)
      assert.equal(inNetwork(address, network), list.check(address, family))
      assert.ok(inNetwork(base, network))
    }),
    { numRuns: 2_000 },
  )
})

test('the families never meet: no IPv4 is in ::/0, and no IPv6 in 0.0.0.0/0', () => {
  const everything = ['::/0', '0.0.0.0/0'].map((text) => parseNetwork(text) ?? assert.fail())
  fc.assert(
    fc.property(addresses, (address) => {
      assert.deepEqual(
        everything.map((network) => inNetwork(address, network)),
        [isIpv6(address), !isIpv6(address)],
      )
    }),
  )
})

test('canonical text reads as itself, and octets come back as they went', () => {
  fc.assert(
    fc.property(addresses, (address) => {
      assert.equal(parseIp(address), address)
      assert.equal(ipFromBytes(ipBytes(address)), address)
      assert.equal(parseIp(address.toUpperCase()), address)
    }),
  )
})

test('judging an address costs hardly more than reading it, however many special networks there are', () => {
  const texts = Array.from({ length: 20_000 }, (_, index) => `2600:${index.toString(16)}::1`)
  const spentOn = (run: (text: string) => unknown) => {
    const started = process.cpuUsage()
    for (const text of texts) run(text)
    const { user, system } = process.cpuUsage(started)
    return user + system
  }
  spentOn(parseIp)
  spentOn((text) => whyNotPublic(text as IpAddress))
  // As much by measure; ten times as much where each network makes a text.
  assert.ok(spentOn((text) => whyNotPublic(text as IpAddress)) < 4 * spentOn(parseIp))
})
