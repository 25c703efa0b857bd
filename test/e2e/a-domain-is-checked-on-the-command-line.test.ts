/** `waypost check` against the lab's internet: what people read, what programs read, and the exit code for each. */
import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { reportSchema, runSchema } from '../../src/checks/report/document.ts'
import { checkCommand } from '../lab/check-command.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { until } from '../lab/until.ts'
import { makeCertificate } from '../unit/certificate-maker.ts'

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '')

test('a domain in order: the headline, the picture, and exit code 0', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  // Only this rule, because what the lab is not (two networks, reverse names for all) is not what is tested.
  const ran = await check.run(['example.lab', '--rules', 'single-exchanger,ns-silent,tls-key-weak'])
  assert.equal(ran.err, '')
  assert.match(ran.out, /^✓ Mail for example\.lab arrives\. Everything is in order\.\n/)
  assert.match(ran.out, /├─ 10 {2}100 % {2}mx1\.example\.lab {2}DNS ✓ signed\n/)
  assert.match(ran.out, new RegExp(`└─ ${lab.places.mx1} .*port ${lab.exchangers[0]?.port} ✓ answers {2}TLS ✓ 1\\.3\n`))
  assert.match(ran.out, /└─ 20 {6}– {2}mx2\.example\.lab/)
  assert.match(ran.out, /zone example\.lab {2}3 name servers at 3 addresses {2}✓ all answer/)
  assert.ok(!ran.out.includes('\u001b'), 'a pipe gets no colours')
  assert.equal(ran.code, 0)
  // Nobody has declared it, so nobody is asked what he might mind.
  const asked = lab.exchangers.flatMap((exchanger) => exchanger?.commands ?? [])
  assert.ok(asked.some((line) => line.startsWith('RCPT TO:<postmaster@example.lab>')))
  assert.ok(!asked.some((line) => /RCPT TO:<waypost-|relay-test/.test(line)))
})

test('a fault: a finding with what to do, exit code 1 unless --fail-on wants more; JSON keeps to its schema', async (t) => {
  const weak = makeCertificate({ name: 'mx1.example.lab', key: 'rsa-1024' })
  const lab = await startCleanDomain(t, { exchangers: [{ chain: [weak] }, null] })
  const check = await checkCommand(t, lab)
  const rules = ['--rules', 'single-exchanger,tls-key-weak,ns-silent']
  const ran = await check.run(['example.lab', '--format', 'json', ...rules])
  const { reports, failing } = runSchema.parse(JSON.parse(ran.out))
  const [report] = reports
  assert.ok(report?.kind === 'examined')
  assert.deepEqual([ran.code, failing, ran.err], [1, 1, ''])
  assert.equal(report.exchangers[1]?.addresses[0]?.port25.state, 'bad')
  assert.ok(report.findings.some(({ id }) => id === 'tls-key-weak'))
  const worst = report.findings[0]?.severity
  assert.equal(worst, 'warning')
  assert.equal((await check.run(['example.lab', ...rules, '--fail-on', 'error'])).code, 0)
  const text = await check.run(['example.lab', ...rules])
  assert.match(text.out, /\n! warning {2}.*tls-key-weak\n {4}seen {2}[^!]*\n {4}why/)
})

test('without SMTP no exchanger is spoken to, and nothing is claimed of it', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const ran = await check.run(['example.lab', '--no-smtp', '--rules', 'tls-key-weak,ns-silent'])
  assert.match(ran.out, /whether the servers take it was not seen/)
  assert.match(ran.out, /port \d+ \? not asked/)
  assert.match(ran.out, /not checked: 2/)
  assert.deepEqual(
    lab.exchangers.map((exchanger) => exchanger?.connections.all),
    [0, 0],
  )
})

test('domains of waypost.yaml are asked everything, and are what is examined where none is named', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  await writeFile(join(check.folder, 'waypost.yaml'), 'domains: { example.lab: { deliver: mx } }\n')
  const ran = await check.run(['--rules', 'open-relay,accepts-unknown-recipient', '--json'])
  const { reports } = runSchema.parse(JSON.parse(ran.out))
  assert.deepEqual(
    reports.map((report) => [report.domain, report.kind === 'examined' && report.examination.probe]),
    [['example.lab', 'full']],
  )
  const asked = lab.exchangers[0]?.commands ?? []
  assert.ok(asked.some((line) => line.includes('relay-test')))
  await writeFile(join(check.folder, 'waypost.yaml'), 'domains: { example.lab: { delivr: mx } }\n')
  const wrong = await check.run([])
  assert.deepEqual([wrong.code, wrong.out], [2, ''])
  assert.match(wrong.err, /unknown key "delivr"/)
})

test('many: a line each as they come, a table at the end, and what is no domain is told beside the others', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const names = 'example.lab\n\n# a comment\nnothing.lab\nno domain\nlab\n'
  const flags = ['--input', '-', '--no-smtp', '--rules', 'ns-silent,single-exchanger']
  const ran = await check.run(flags, names)
  assert.equal(ran.code, 2)
  const rows = linesOf(ran.out.split('\n\n')[0] ?? '')
  assert.equal(rows.length, 4)
  assert.ok(rows.some((row) => /^✗ nothing\.lab does not exist/.test(row)))
  assert.ok(rows.some((row) => /^\? no domain: could not be examined: it is no domain/.test(row)))
  assert.match(ran.out, /\n4 domains\n/)
  const lines = await check.run([...flags, '--format', 'jsonl'], names)
  const reports = linesOf(lines.out).map((line) => reportSchema.parse(JSON.parse(line)))
  assert.deepEqual(reports.map(({ domain }) => domain).sort(), ['example.lab', 'lab', 'no domain', 'nothing.lab'])
  assert.match(lines.err, /^4 domains\n/)
})

test('a run that was killed goes on where it stopped: no domain twice, none left out', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `d${index}.lab`)
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  await writeFile(join(check.folder, 'names'), names.join('\n'))
  const flags = [
    '--input',
    'names',
    '--no-smtp',
    '--rules',
    'ns-silent',
    '--output',
    'done.jsonl',
    '--resume',
    '--concurrency',
    '1',
  ]
  const file = join(check.folder, 'done.jsonl')
  const child = check.start(flags)
  const done = async () => linesOf(await readFile(file, 'utf8').catch(() => '')).length
  await until(async () => (await done()) >= 3, 60_000, 'three domains are done')
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await ended
  const before = await done()
  // What a machine that dies leaves behind: half a line.
  await appendFile(file, '{"version":1,"kind":"exam')
  const ran = await check.run(flags)
  assert.deepEqual([ran.code, ran.out], [0, ''])
  const after = linesOf(await readFile(file, 'utf8')).map((line) => reportSchema.parse(JSON.parse(line)))
  assert.deepEqual(after.map(({ domain }) => domain).sort(), names.toSorted())
  assert.ok(before < names.length, 'it was stopped before its end')
  assert.match(ran.err, /^40 domains\n/, 'the table counts what the first run has done')
  await appendFile(file, 'somebody else’s file\n')
  const foreign = await check.run(flags)
  assert.equal(foreign.code, 2)
  assert.match(foreign.err, /^waypost: line 41 of done\.jsonl is no report of a check: take it out, or/)
})

test('a hostile domain: nothing of it acts on the terminal or breaks a format', async (t) => {
  const evil = '\u001b]0;owned\u0007\u001b[2J<script>alert(1)</script>]]>\r\n250 '
  const lab = await startCleanDomain(t, {
    exchangers: [
      {
        name: 'mx1.example.lab',
        greeting: `220 ${evil.replaceAll('\r\n', '')} ESMTP`,
        keywords: [evil.replace(/\r\n.*/s, '')],
      },
    ],
    zone: (zone) => ({
      ...zone,
      records: {
        ...zone.records,
        'example.lab': {
          MX: [
            [10, 'mx1.example.lab'],
            [20, '\\027]0;x\\007\\<script\\>.example.lab'],
          ],
          TXT: [`v=spf1 ${evil}`],
        },
      },
    }),
  })
  const check = await checkCommand(t, lab)
  for (const format of ['text', 'json', 'jsonl', 'html', 'junit']) {
    const { code, out } = await check.run(['example.lab', '--format', format, '--timeout', '15s'])
    assert.equal(code, 1)
    assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, format)
    if (format === 'html' || format === 'junit') assert.doesNotMatch(out, /<script/i, format)
    if (format.startsWith('json')) JSON.parse(out)
  }
})

test('a wrong command line says what is wrong, and nothing is asked', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['no domain'], /"no domain" is no domain/],
    [['you@example.lab'], /"you@example\.lab" is no domain: .*; did you mean "example\.lab"\?/],
    [['https://example.lab/mail'], /; did you mean "example\.lab"\?/],
    [['example.lab', '--rules', 'ns-silnt'], /"ns-silnt" is no check; did you mean "ns-silent"\?/],
    [['example.lab', '--rules', 'accepts-bare-newline-end'], /a probe never says DATA/],
    [['example.lab', '--resume'], /--output FILE/],
    [['example.lab', '--input', 'names'], /use one of them/],
    [['--input', 'not-there'], /not-there/],
    [['example.lab', '--format', 'xml'], /Allowed choices are text, json, jsonl, html, junit/],
    [['example.lab', '--no-smtp', '--probe', 'full'], /--no-smtp speaks no SMTP/],
    [['example.lab', '--json', '--format', 'html'], /--json is --format json, and --format html says another/],
    [['example.lab', '--json', '--resume', '--output', 'out'], /not with json: use --format jsonl/],
    [['example.lab', '--resume', '--output', 'out.html'], /JSON lines, not with html: use --format jsonl/],
    [['example.lab', '--resume', '--output', 'out.txt'], /JSON lines, not with text: use --format jsonl/],
    [['example.lab', '--resume', '--overwrite', '--output', 'out.jsonl'], /use one of them/],
    [['example.lab', '--overwrite'], /--output FILE/],
    [['example.lab', '--output', '/nowhere/out.json'], /the folder \/nowhere does not exist/],
    [[], /no domain is named/],
  ]
  for (const [args, wanted] of cases) {
    const ran = await check.run(args)
    assert.deepEqual([ran.code, ran.out], [2, ''], args.join(' '))
    assert.match(ran.err, wanted)
  }
  assert.deepEqual(lab.internet.resolved, [])
})
