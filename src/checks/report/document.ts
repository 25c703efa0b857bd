/**
 * The JSON of a report: what stands in it, once, as a schema. docs/check.schema.json is made from it (`npm run docs`), and tests hold every
 * report to it. It only grows: a key keeps its name and its meaning within one `version`. Strings of others in it are as they were.
 */
import { z } from 'zod'
import type { Finding, NotChecked, Subject } from '../finding.ts'
import type { DomainReport, ExaminedReport } from './domain-report.ts'
import type { Light } from './way-in.ts'

const light = z
  .strictObject({ state: z.enum(['good', 'odd', 'bad', 'unknown']), text: z.string() })
  .meta({ description: 'How it stands there; "unknown": not looked at, or it could not be told.' })

const share = z.number().min(0).max(1)

const subject = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('domain'), name: z.string() }),
  z.strictObject({ kind: z.literal('exchanger'), name: z.string() }),
  z.strictObject({ kind: z.literal('address'), exchanger: z.string(), address: z.string() }),
  z.strictObject({
    kind: z.literal('name-server'),
    zone: z.string(),
    name: z.string(),
    address: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('zone'), name: z.string() }),
  z.strictObject({ kind: z.literal('record'), name: z.string(), type: z.string() }),
])

const finding = z.strictObject({
  id: z.string().meta({ description: 'The rule; its page is docs/checks/<id>.md.' }),
  severity: z.enum(['error', 'warning', 'notice']),
  title: z.string(),
  subject,
  seen: z.string().meta({ description: 'What was seen, in sentences.' }),
  why: z.string().meta({ description: 'Who loses mail, and when.' }),
  rfc: z.array(z.string()),
  remedy: z.strictObject({
    text: z.string(),
    records: z.array(z.string()).meta({ description: 'Lines of a zone file, to be copied.' }),
    settings: z.array(z.string()).meta({ description: 'Settings of a server, to be copied.' }),
  }),
  data: z
    .record(z.string(), z.json())
    .meta({ description: 'The same for programs, by rule. Strings of others are as they came.' }),
})

const notChecked = z
  .strictObject({ id: z.string(), title: z.string(), subject, reason: z.string(), why: z.string() })
  .meta({ description: 'What could not be looked at. Never a fault of the domain.' })

const examined = z
  .strictObject({
    version: z.literal(1),
    kind: z.literal('examined'),
    domain: z.string(),
    startedAt: z.iso.datetime(),
    tookMs: z.number().min(0),
    state: z
      .enum([
        'arrives',
        'arrives-in-part',
        'does-not-arrive',
        'way-in-order',
        'takes-no-mail',
        'no-such-domain',
        'unknown',
      ])
      .meta({ description: '"way-in-order": as far as DNS tells, because SMTP was not tried or could not be.' }),
    isOneFaultAway: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether one fault would stop the mail; null where no rule was asked that knows.' }),
    headline: z.string(),
    counts: z.strictObject({
      error: z.int().min(0),
      warning: z.int().min(0),
      notice: z.int().min(0),
      notChecked: z.int().min(0),
    }),
    exchangers: z.array(
      z.strictObject({
        name: z.string(),
        preferences: z.array(z.int()),
        isImplicit: z.boolean().meta({ description: 'There is no MX record: the domain itself (RFC 5321 §5.1).' }),
        tries: share.meta({ description: 'Share of senders that try it first.' }),
        gets: share.meta({ description: 'Share of mail that it gets as things stand.' }),
        dns: light,
        addresses: z.array(z.strictObject({ address: z.string(), network: z.string(), port25: light, tls: light })),
      }),
    ),
    zones: z.array(
      z.strictObject({ name: z.string(), nameServers: z.int(), addresses: z.int(), answers: light, dnssec: light }),
    ),
    findings: z.array(finding).meta({ description: 'Worst first.' }),
    notChecked: z.array(notChecked),
    examination: z.strictObject({
      probe: z.enum(['full', 'polite', 'none']),
      smtpPort: z.int(),
      isPrivate: z.boolean(),
      families: z.enum(['both', 'ipv4', 'ipv6']),
    }),
    vantage: z
      .strictObject({
        ipv4: z.enum(['works', 'broken', 'not-examined']),
        ipv6: z.enum(['works', 'broken', 'not-examined']),
        port25: z.enum(['open', 'blocked', 'not-examined']),
        validation: z.enum(['trusted', 'remote', 'none', 'not-examined']),
      })
      .meta({ description: 'Where it was looked from: what does not work there is no fault of the domain.' }),
    spent: z.strictObject({ queries: z.int(), connections: z.int() }),
  })
  .meta({ description: 'A domain that was looked at.' })

const unexamined = z
  .strictObject({ version: z.literal(1), kind: z.literal('unexamined'), domain: z.string(), why: z.string() })
  .meta({ description: 'What could not be examined at all, such as a line that is no domain.' })

/** One domain: a line of `--format jsonl`, an element of `reports` of `--format json`. */
export const reportSchema = z.discriminatedUnion('kind', [examined, unexamined])

/** A domain's report as JSON, described by docs/check.schema.json. */
export type ReportDocument = z.infer<typeof reportSchema>

/** What `--format json` writes, for one domain and for many. */
export const runSchema = z.strictObject({
  version: z.literal(1),
  reports: z.array(reportSchema),
  domains: z.int(),
  fine: z.int().meta({ description: 'Domains without a finding of at least --fail-on.' }),
  failing: z.int(),
  unknown: z.int().meta({ description: 'Domains that could not be examined.' }),
})

/** JSON Schema of both, for docs/check.schema.json. */
export function publishedReportSchema() {
  // Of both at once: what they refer to must stand at the top of the document.
  const { $schema, ...rest } = z.toJSONSchema(z.union([runSchema, reportSchema]), {
    target: 'draft-2020-12',
    io: 'output',
  })
  return {
    $schema,
    title: 'What waypost check writes: the document of --format json, or a line of --format jsonl',
    ...rest,
  }
}

/** The report as the JSON document that `check --format json` writes. */
export function reportDocument(report: DomainReport): ReportDocument {
  if (report.kind === 'unexamined') return { version: 1, ...report }
  const { facts } = report.checked
  const { state, isOneFaultAway, headline, counts } = report.summary
  const { probe, smtpPort, isPrivate, families } = facts.examination
  const { ipv4, ipv6, port25, validation } = facts.vantage
  return {
    version: 1,
    kind: 'examined',
    domain: facts.domain,
    startedAt: new Date(facts.startedAtMs).toISOString(),
    tookMs: Math.round(facts.tookMs),
    state,
    isOneFaultAway: isOneFaultAway ?? null,
    headline,
    counts,
    exchangers: report.way.exchangers.map(exchangerDocument),
    zones: report.way.zones.map(({ name, nameServers, addresses, light: answers, dnssec }) => ({
      name,
      nameServers,
      addresses,
      answers: lightDocument(answers),
      dnssec: lightDocument(dnssec),
    })),
    findings: report.findings.map(findingDocument),
    notChecked: report.notChecked.map(notCheckedDocument),
    examination: { probe, smtpPort, isPrivate, families },
    vantage: { ipv4, ipv6, port25, validation },
    spent: { queries: facts.spent.queries, connections: facts.spent.connections },
  }
}

type ExchangerDocument = Extract<ReportDocument, { kind: 'examined' }>['exchangers'][number]

function exchangerDocument(exchanger: ExaminedReport['way']['exchangers'][number]): ExchangerDocument {
  const { name, preferences, isImplicit, tries, gets, dns, addresses } = exchanger
  return {
    name,
    preferences: [...preferences],
    isImplicit,
    tries,
    gets,
    dns: lightDocument(dns),
    addresses: addresses.map(({ address, network, port25, tls }) => ({
      address,
      network,
      port25: lightDocument(port25),
      tls: lightDocument(tls),
    })),
  }
}

const lightDocument = ({ state, text }: Light) => ({ state, text })

function findingDocument({ id, severity, title, subject: about, seen, why, rfc, remedy, data }: Finding) {
  const { text, records = [], settings = [] } = remedy
  return {
    id,
    severity,
    title,
    subject: subjectDocument(about),
    seen,
    why,
    rfc: [...rfc],
    remedy: { text, records: [...records], settings: [...settings] },
    data: data as Record<string, z.core.util.JSONType>,
  }
}

function notCheckedDocument({ id, title, subject: about, reason, why }: NotChecked) {
  return { id, title, subject: subjectDocument(about), reason, why }
}

const subjectDocument = (about: Subject): z.infer<typeof subject> =>
  about.kind === 'name-server' ? { ...about, address: about.address ?? null } : about
