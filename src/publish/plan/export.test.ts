import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { load } from 'js-yaml'
import { labName } from '../../../test/lab/names.ts'
import { parseIp } from '../../base/ip.ts'
import type { HostName } from '../../dns/name.ts'
import { typeCodes } from '../../dns/types.ts'
import { parseZone, recordsOf } from '../../dns/zone-text/parse.ts'
import { wantedIn } from '../declare/wanted.ts'
import { textData } from '../sets/text-kind.ts'
import { noLimits } from '../targets/target.ts'
import { exportZones } from './export.ts'
import { planZone } from './plan.ts'

/** Required, for its types bring those of browsers with them. */
const { parse } = createRequire(import.meta.url)('@cdktn/hcl2json') as {
  parse(file: string, text: string): Promise<unknown>
}
const zone = labName('example.com')
const address = parseIp('2001:db8::1') ?? assert.fail()
const spf = 'v=spf1 exists:%{i}.example.net; -all'.replace('; ', ' ')
const wanted = wantedIn(zone, [
  {
    domain: 'example.com' as HostName,
    exchangers: [
      { preference: 10, host: 'mx1.example.com' as HostName, addresses: [address] },
      { preference: 20, host: 'mx.example.net' as HostName, addresses: undefined },
    ],
    ttlSeconds: 3600,
    publisher: undefined,
    texts: [
      { kind: 'spf', text: spf },
      { kind: 'dmarc', text: 'v=DMARC1; p=none' },
    ],
    absent: [],
  },
])
const live = [{ name: zone, code: typeCodes.TXT, ttlSeconds: 300, data: [textData('token="1"')] }]
const plan = planZone(zone, wanted.sets, live, noLimits)

test('octoDNS: a file of names with their whole sets', () => {
  assert.equal(
    exportZones('octodns', [plan]),
    `---
# example.com.yaml: put these sets into the one that you have, because octoDNS removes what its file does not name.
"":
  - type: MX
    ttl: 3600
    values:
      - preference: 10
        exchange: "mx1.example.com."
      - preference: 20
        exchange: "mx.example.net."
  - type: TXT
    ttl: 300
    values:
      - "token=\\"1\\""
      - "v=spf1 exists:%{i}.example.net -all"
"_dmarc":
  - type: TXT
    ttl: 3600
    values:
      - "v=DMARC1\\\\; p=none"
"mx1":
  - type: AAAA
    ttl: 3600
    values:
      - "2001:db8::1"
`,
  )
})

test('DNSControl: a domain that purges nothing', () => {
  assert.equal(
    exportZones('dnscontrol', [plan]),
    `// REG and DSP are those of your dnsconfig.js.
D("example.com", REG, DnsProvider(DSP), NO_PURGE,
  MX("@", 10, "mx1.example.com.", TTL(3600)),
  MX("@", 20, "mx.example.net.", TTL(3600)),
  TXT("@", "token=\\"1\\"", TTL(300)),
  TXT("@", "v=spf1 exists:%{i}.example.net -all", TTL(300)),
  TXT("_dmarc", "v=DMARC1; p=none", TTL(3600)),
  AAAA("mx1", "2001:db8::1", TTL(3600)),
END);
`,
  )
})

test('Terraform: a resource a set, with no expressions made of data', () => {
  const text = exportZones('terraform', [plan])
  assert.match(
    text,
    /resource "dns_mx_record_set" "example_com_mx" \{\n {2}zone = "example\.com\."\n {2}mx \{\n {4}preference = 10/,
  )
  assert.match(text, /txt = \["token=\\"1\\"", "v=spf1 exists:%%\{i\}\.example\.net -all"\]/)
  assert.match(
    text,
    /resource "dns_aaaa_record_set" "mx1_example_com_aaaa" \{\n {2}zone = "example\.com\."\n {2}name = "mx1"\n {2}addresses = \["2001:db8::1"\]\n {2}ttl {2}= 3600\n\}/,
  )
})

test('zone lines: what any name server reads', () => {
  const text = exportZones('zone', [plan])
  const parsed = parseZone(Buffer.from(text, 'latin1'), { origin: zone, others: 'refuse' })
  assert.ok(parsed.kind === 'zone')
  assert.equal(recordsOf(parsed.zone).length, 6)
})

test('octoDNS: a YAML parser reads what was meant', () => {
  assert.deepEqual(load(exportZones('octodns', [plan])), {
    '': [
      {
        ...{ type: 'MX', ttl: 3600 },
        values: [
          { preference: 10, exchange: 'mx1.example.com.' },
          { preference: 20, exchange: 'mx.example.net.' },
        ],
      },
      { type: 'TXT', ttl: 300, values: ['token="1"', spf] },
    ],
    // Its own escape of semicolons, within the YAML.
    _dmarc: [{ type: 'TXT', ttl: 3600, values: ['v=DMARC1\\; p=none'] }],
    mx1: [{ type: 'AAAA', ttl: 3600, values: ['2001:db8::1'] }],
  })
})

test('DNSControl: run as JavaScript it calls its functions with what was meant', () => {
  const called: unknown[] = []
  const named =
    (name: string) =>
    (...words: unknown[]) => [name, ...words]
  const words = {
    ...{ REG: 'REG', DSP: 'DSP', NO_PURGE: 'NO_PURGE', END: 'END', DnsProvider: named('DnsProvider') },
    ...{ MX: named('MX'), TXT: named('TXT'), AAAA: named('AAAA'), TTL: named('TTL') },
    D: (...all: unknown[]) => void called.push(...all),
  }
  runInNewContext(exportZones('dnscontrol', [plan]), words)
  const ttl = (seconds: number) => ['TTL', seconds]
  assert.deepEqual(called, [
    ...['example.com', 'REG', ['DnsProvider', 'DSP'], 'NO_PURGE'],
    ['MX', '@', 10, 'mx1.example.com.', ttl(3600)],
    ['MX', '@', 20, 'mx.example.net.', ttl(3600)],
    ['TXT', '@', 'token="1"', ttl(300)],
    ['TXT', '@', spf, ttl(300)],
    ['TXT', '_dmarc', 'v=DMARC1; p=none', ttl(3600)],
    ['AAAA', 'mx1', '2001:db8::1', ttl(3600)],
    'END',
  ])
})

test("Terraform: HashiCorp's own parser reads what was meant", async () => {
  const read = (await parse('example.tf', exportZones('terraform', [plan], ['a note']))) as {
    resource: Record<string, unknown>
  }
  const at = { zone: 'example.com.' }
  assert.deepEqual(read.resource, {
    dns_mx_record_set: {
      example_com_mx: [
        {
          ...{ ...at, ttl: 3600 },
          mx: [
            { preference: 10, exchange: 'mx1.example.com.' },
            { preference: 20, exchange: 'mx.example.net.' },
          ],
        },
      ],
    },
    dns_txt_record_set: {
      // It leaves what begins no template as it was written: the escape of "%{".
      example_com_txt: [{ ...at, ttl: 300, txt: ['token="1"', spf.replace('%{', '%%{')] }],
      _dmarc_example_com_txt: [{ ...at, name: '_dmarc', ttl: 3600, txt: ['v=DMARC1; p=none'] }],
    },
    dns_aaaa_record_set: {
      mx1_example_com_aaaa: [{ ...at, name: 'mx1', ttl: 3600, addresses: ['2001:db8::1'] }],
    },
  })
  await assert.rejects(async () => parse('example.tf', exportZones('terraform', [plan]).replace('{', '[')))
})

test('notes and sets that cannot be written stand in a comment of each format, and no parser minds', async () => {
  const binary = { type: 'TXT' as const, strings: [Buffer.from([0xff, 0x0a, 0x08])] }
  const strange = planZone(zone, wanted.sets, [{ ...live[0], data: [binary] } as (typeof live)[number]], noLimits)
  const note = 'example.com: its MX records are left out'
  for (const [format, sign] of [
    ['octodns', '#'],
    ['dnscontrol', '//'],
    ['terraform', '#'],
  ] as const) {
    const lines = exportZones(format, [strange], [note]).split('\n')
    assert.deepEqual(lines.slice(0, 2), [
      `${sign} ${note}`,
      `${sign} example.com. TXT: left out, because a string of it is no text`,
    ])
    assert.doesNotMatch(lines.slice(2).join('\n'), /v=spf1/)
  }
  const text = exportZones('zone', [strange], [note])
  assert.ok(text.startsWith(`; ${note}\n`))
  const parsed = parseZone(Buffer.from(text, 'latin1'), { origin: zone, others: 'refuse' })
  assert.ok(parsed.kind === 'zone')
  assert.ok(
    recordsOf(parsed.zone).some(
      ({ data }) => data.type === 'TXT' && data.strings[0]?.equals(binary.strings[0] as Buffer),
    ),
  )
})
