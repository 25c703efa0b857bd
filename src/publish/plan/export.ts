/**
 * The records of a plan for tools that keep zones elsewhere: octoDNS, DNSControl, Terraform, and plain zone lines. What is written are whole sets,
 * as they would be afterwards, because these tools own whole sets: what others have in them stays. Pure; called by `waypost plan --export`.
 */
import type { Rdata } from '../../dns/rdata.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { typeCodes, typeName } from '../../dns/types.ts'
import { nameText, plainNameText, type WireName } from '../../dns/wire-name.ts'
import { ownerText } from '../../dns/zone-text/owner-text.ts'
import { type SetContent, type SetName, setText } from '../sets/record-set.ts'
import type { ZonePlan } from './plan.ts'

export const exportFormats = ['octodns', 'dnscontrol', 'terraform', 'zone'] as const
export type ExportFormat = (typeof exportFormats)[number]

interface ExportedSet extends SetName {
  readonly owner: string
  readonly content: SetContent
}

/**
 * @param notes  printable lines that whoever reads the text should know of; comments in front of it
 * @returns one text for all zones
 */
export function exportZones(format: ExportFormat, plans: readonly ZonePlan[], notes: readonly string[] = []): string {
  const { write, comment } = formats[format]
  const said = notes.map((note) => `${comment} ${note}\n`).join('')
  return `${said}${plans.map((plan) => zoneText(plan, write, comment)).join('\n')}`
}

type Write = (zone: WireName, sets: readonly ExportedSet[]) => string

const formats: Readonly<Record<ExportFormat, { readonly write: Write; readonly comment: string }>> = {
  octodns: { write: octodns, comment: '#' },
  dnscontrol: { write: dnscontrol, comment: '//' },
  terraform: { write: terraform, comment: '#' },
  zone: { write: zoneLines, comment: ';' },
}

function zoneText(plan: ZonePlan, write: Write, comment: string): string {
  const sets = setsOf(plan)
  // Only zone lines have a way to write octets.
  const binary = write === zoneLines ? [] : sets.filter(({ content }) => content.data.some(isBinary))
  const said = binary.map((set) => `${comment} ${setText(set)}: left out, because a string of it is no text\n`).join('')
  return `${said}${write(
    plan.zone,
    sets.filter((set) => !binary.includes(set)),
  )}`
}

const isBinary = (data: Rdata) => data.type === 'TXT' && /[^\x20-\x7e]/.test(joined(data.strings))

/** Those that somebody declared, and that are there afterwards. */
function setsOf({ zone, sets }: ZonePlan): ExportedSet[] {
  return sets.flatMap(({ name, code, after, domains }) =>
    after && domains.length > 0 ? [{ name, code, content: after, owner: ownerText(name, zone) }] : [],
  )
}

function zoneLines(zone: WireName, sets: readonly ExportedSet[]): string {
  const lines = sets.flatMap(({ name, code, content }) =>
    content.data.map((data) => `${nameText(name)} ${content.ttlSeconds} IN ${typeName(code)} ${rdataText(data)}`),
  )
  return `; ${nameText(zone)}\n${lines.join('\n')}\n`
}

/** https://octodns.readthedocs.io: a file a zone, by names relative to it. */
function octodns(zone: WireName, sets: readonly ExportedSet[]): string {
  const lines = [
    '---',
    `# ${plainNameText(zone)}.yaml: put these sets into the one that you have, because octoDNS removes what its file does not name.`,
  ]
  for (const [owner, those] of Map.groupBy(sets, (set) => set.owner)) {
    lines.push(`${yaml(owner === '@' ? '' : owner)}:`)
    for (const { code, content } of those) {
      lines.push(`  - type: ${typeName(code)}`, `    ttl: ${content.ttlSeconds}`, '    values:')
      lines.push(
        ...content.data.flatMap((data) =>
          octodnsValue(data).map((line, index) => `      ${index === 0 ? '- ' : '  '}${line}`),
        ),
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function octodnsValue(data: Rdata): string[] {
  if (data.type === 'MX') return [`preference: ${data.preference}`, `exchange: ${yaml(nameText(data.exchange))}`]
  // Its semicolons are escaped, and it splits long ones itself.
  if (data.type === 'TXT') return [yaml(joined(data.strings).replace(/;/g, '\\;'))]
  if (data.type === 'A' || data.type === 'AAAA') return [yaml(data.address)]
  return [yaml(rdataText(data))]
}

/** JSON strings are YAML. */
const yaml = (text: string) => JSON.stringify(text)

const joined = (strings: readonly Buffer[]) => Buffer.concat(strings).toString('latin1')

/** https://docs.dnscontrol.org: what is not named stays, by NO_PURGE. */
function dnscontrol(zone: WireName, sets: readonly ExportedSet[]): string {
  const lines = sets.flatMap(({ owner, content }) =>
    content.data.map((data) => `  ${dnscontrolRecord(JSON.stringify(owner), data, `TTL(${content.ttlSeconds})`)},`),
  )
  return [
    `// REG and DSP are those of your dnsconfig.js.`,
    `D(${JSON.stringify(plainNameText(zone))}, REG, DnsProvider(DSP), NO_PURGE,`,
    ...lines,
    'END);',
    '',
  ].join('\n')
}

function dnscontrolRecord(owner: string, data: Rdata, ttl: string): string {
  switch (data.type) {
    case 'MX':
      return `MX(${owner}, ${data.preference}, ${JSON.stringify(nameText(data.exchange))}, ${ttl})`
    case 'A':
    case 'AAAA':
      return `${data.type}(${owner}, ${JSON.stringify(data.address)}, ${ttl})`
    case 'TXT':
      return `TXT(${owner}, ${JSON.stringify(joined(data.strings))}, ${ttl})`
    default:
      return `// ${owner}: ${rdataText(data)}`
  }
}

/** The `hashicorp/dns` provider (dynamic updates); other providers take the same sets under other names. */
function terraform(zone: WireName, sets: readonly ExportedSet[]): string {
  return sets.map((set) => terraformSet(zone, set)).join('\n')
}

function terraformSet(zone: WireName, { owner, code, content }: ExportedSet): string {
  const label = `${owner === '@' ? plainNameText(zone) : `${owner}.${plainNameText(zone)}`}_${typeName(code)}`
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
  const kind = terraformKinds.get(code)
  if (kind === undefined) return `# ${owner} ${typeName(code)}: the provider has no resource for it\n`
  const head = [
    `resource "${kind.resource}" "${/^[a-z_]/.test(label) ? label : `_${label}`}" {`,
    `  zone = ${hcl(nameText(zone))}`,
    ...(owner === '@' ? [] : [`  name = ${hcl(owner)}`]),
  ]
  return [...head, ...kind.body(content.data), `  ttl  = ${content.ttlSeconds}`, '}', ''].join('\n')
}

const listOf = (name: string, values: readonly string[]) => [`  ${name} = [${values.map(hcl).join(', ')}]`]

const addresses = (data: readonly Rdata[]) =>
  listOf(
    'addresses',
    data.flatMap((each) => ('address' in each ? [each.address] : [])),
  )

const terraformKinds: ReadonlyMap<number, { resource: string; body: (data: readonly Rdata[]) => string[] }> = new Map([
  [typeCodes.A, { resource: 'dns_a_record_set', body: addresses }],
  [typeCodes.AAAA, { resource: 'dns_aaaa_record_set', body: addresses }],
  [
    typeCodes.TXT,
    {
      resource: 'dns_txt_record_set',
      body: (data: readonly Rdata[]) =>
        listOf(
          'txt',
          data.flatMap((each) => (each.type === 'TXT' ? [joined(each.strings)] : [])),
        ),
    },
  ],
  [
    typeCodes.MX,
    {
      resource: 'dns_mx_record_set',
      body: (data: readonly Rdata[]) =>
        data.flatMap((each) =>
          each.type === 'MX'
            ? [
                '  mx {',
                `    preference = ${each.preference}`,
                `    exchange   = ${hcl(nameText(each.exchange))}`,
                '  }',
              ]
            : [],
        ),
    },
  ],
])

/** A quoted template of HCL: `${` and `%{` would begin an expression. */
const hcl = (text: string) => JSON.stringify(text).replace(/([$%])\{/g, '$1$1{')
