/** docs/check.schema.json by a validator that is not ours: what `waypost check` really writes keeps to it, and what is broken does not. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type TestContext, test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { checkCommand } from '../lab/check-command.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { makeCertificate } from '../unit/certificate-maker.ts'

/** In its strict mode it also refuses a schema with keywords that mean nothing. */
async function published(): Promise<ValidateFunction> {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true })
  addFormats.default(ajv)
  return ajv.compile(JSON.parse(await readFile(new URL('../../docs/check.schema.json', import.meta.url), 'utf8')))
}

function keeps(validate: ValidateFunction, document: unknown): void {
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 5)))
}

async function cleanDomain(t: TestContext) {
  return checkCommand(t, await startCleanDomain(t))
}

/** Nearly everything wrong, and in the words of somebody who wants to break formats. */
async function faultyDomain(t: TestContext) {
  const evil = '\u001b]0;owned\u0007<script>]]>"\\'
  const self = makeCertificate({ name: 'elsewhere.lab', key: 'rsa-1024' })
  const lab = await startCleanDomain(t, {
    exchangers: [{ chain: [self], greeting: `220 ${evil} ESMTP` }, null],
    policy: { policy: 'version: STSv2\nmode: maybe\n' },
    zone: (zone) => ({
      ...zone,
      servers: [
        { name: 'ns1.example.lab', fault: () => ({ rcode: 5, answers: [], authorities: [] }) },
        { name: 'ns2.example.lab' },
      ],
      records: {
        ...zone.records,
        'example.lab': {
          MX: [
            [10, 'mx1.example.lab'],
            [0, '.'],
            [10, '192.0.2.1'],
            [30, 'gone.example.lab'],
            [40, '\\027]0;x\\007.example.lab'],
          ],
          TXT: [`v=spf1 ${evil} +all`, 'v=spf1 -all'],
        },
        '_mta-sts.example.lab': { TXT: ['v=STSv1; id=1', 'v=STSv1; id=2'] },
        '_smtp._tls.example.lab': { TXT: [`v=TLSRPTv1; rua=${evil}`] },
        '_dmarc.example.lab': { TXT: ['v=DMARC1; p=never'] },
      },
    }),
  })
  return checkCommand(t, lab)
}

test('the reports of a domain in order, of a very faulty one, and of none keep to the published schema', async (t) => {
  const validate = await published()
  for (const [check, least] of [
    [await cleanDomain(t), 0],
    [await faultyDomain(t), 12],
  ] as const) {
    const whole = JSON.parse((await check.run(['example.lab', '--format', 'json', '--timeout', '60s'])).out)
    keeps(validate, whole)
    const [{ findings }] = whole.reports
    assert.ok(findings.length >= least, `${findings.length} findings`)
    const names = 'example.lab\nnothing.lab\nno domain\n'
    const { out } = await check.run(['--input', '-', '--format', 'jsonl', '--timeout', '60s'], names)
    const lines = out.trim().split('\n')
    assert.equal(lines.length, 3)
    for (const line of lines) keeps(validate, JSON.parse(line))
  }
})

test('the schema refuses what is no report', async (t) => {
  const validate = await published()
  const check = await cleanDomain(t)
  const flags = [
    'example.lab',
    '--format',
    'jsonl',
    '--no-smtp',
    '--rules',
    'dnssec-missing,single-exchanger,ns-too-few',
  ]
  const report = JSON.parse((await check.run(flags)).out)
  keeps(validate, report)
  const { domain: _, ...nameless } = report
  const broken: readonly unknown[] = [
    {},
    [],
    null,
    'report',
    nameless,
    { ...report, version: 2 },
    { ...report, kind: 'perhaps' },
    { ...report, more: 1 },
    { ...report, state: 'fine' },
    { ...report, startedAt: 'yesterday' },
    { ...report, tookMs: -1 },
    { ...report, counts: { ...report.counts, error: 0.5 } },
    { ...report, findings: [{ ...finding, severity: 'fatal' }] },
    { ...report, findings: [{ ...finding, subject: { kind: 'domain' } }] },
    { ...report, exchangers: [{ ...report.exchangers[0], tries: 1.5 }] },
    { version: 1, reports: [report], domains: 1, fine: 1, failing: 0 },
    { version: 1, reports: [nameless], domains: 1, fine: 1, failing: 0, unknown: 0 },
  ]
  for (const document of broken) assert.ok(!validate(document), JSON.stringify(document)?.slice(0, 300))
  // Each of them is refused for what is broken in it: with a right finding it is taken.
  keeps(validate, { ...report, findings: [finding] })
})

const finding = {
  ...{ id: 'single-exchanger', severity: 'warning', title: 'one', seen: 'one', why: 'one', rfc: [], data: {} },
  subject: { kind: 'domain', name: 'example.lab' },
  remedy: { text: 'Add one.', records: [], settings: [] },
}
