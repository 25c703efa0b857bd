/** The options of `waypost check` that say how exchangers are looked at, and which checks there are, seen from the other side. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runSchema } from '../../src/checks/report/document.ts'
import { checkCommand } from '../lab/check-command.ts'
import { type CleanDomain, startCleanDomain } from '../lab/clean-domain.ts'

const heard = (lab: CleanDomain) => lab.exchangers.flatMap((exchanger) => exchanger?.commands ?? [])
const connections = (lab: CleanDomain) => lab.exchangers.map((exchanger) => exchanger?.connections.all)

test('--probe full, --from and --helo: who asks, from where, and for whom', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const ran = await check.run(['example.lab', '--rules', 'open-relay', '--probe', 'full', '--from', 'me@other.lab'])
  assert.equal(ran.code, 0, ran.out + ran.err)
  const lines = heard(lab)
  assert.ok(lines.includes('EHLO prober.lab'))
  assert.ok(lines.includes('MAIL FROM:<me@other.lab>') && lines.includes('RCPT TO:<relay-test@other.lab>'))
  assert.ok(lines.some((line) => /^RCPT TO:<waypost-[0-9a-f]+@example\.lab>/.test(line)))
  assert.ok(
    !lines.some((line) => /^(DATA|BDAT|NOOP)/.test(line)),
    'no message, and no word that is for our own gateway',
  )
})

test('--probe none, and -6 where there is IPv4 alone: nobody is spoken to, and that is said', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  // What no name server says over IPv6 is not known at all: 2.
  for (const [option, code] of [
    [['--probe', 'none'], 0],
    [['-6'], 2],
  ] as const) {
    const ran = await check.run(['example.lab', '--format', 'json', '--rules', 'open-relay,tls-key-weak', ...option])
    const [report] = runSchema.parse(JSON.parse(ran.out)).reports
    assert.ok(report?.kind === 'examined', ran.out)
    assert.deepEqual([report.findings, ran.code], [[], code], option.join(' '))
    if (code === 0) assert.ok(report.notChecked.length >= 2, option.join(' '))
  }
  assert.deepEqual(connections(lab), [0, 0])
  const both = await check.run(['example.lab', '-4', '-6'])
  assert.deepEqual([both.code, both.out], [2, ''])
})

test('--rules and --skip: what is left out is not told; a name that no check has gets the nearest', async (t) => {
  const lab = await startCleanDomain(t, { exchangers: [undefined, null] })
  const check = await checkCommand(t, lab)
  const rules = ['--rules', 'exchanger-unreachable,single-exchanger']
  assert.match((await check.run(['example.lab', ...rules])).out, /exchanger-unreachable/)
  const silent = await check.run(['example.lab', '--rules', 'smtp-no-starttls,smtp-size-small'])
  assert.match(silent.out, /There was no connection to mx2\.example\.lab \(127\./)
  const skipped = await check.run(['example.lab', ...rules, '--skip', 'exchanger-unreachable'])
  assert.doesNotMatch(skipped.out, /exchanger-unreachable/)
  const wrong = await check.run(['example.lab', '--skip', 'exchanger-unreachabl'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.err, /"exchanger-unreachabl" is no check.*exchanger-unreachable/)
})

test('--quiet and --verbose: of many domains the summary, or all of each', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const words = ['example.lab', 'nowhere.lab', '--no-smtp', '--rules', 'domain-not-found', '--format', 'jsonl']
  const quiet = await check.run([...words, '--quiet'])
  assert.equal(quiet.err, '')
  assert.notEqual((await check.run(words)).err, '')
  const text = words.slice(0, -2)
  const [short, whole] = [await check.run(text), await check.run([...text, '--verbose'])]
  assert.ok(whole.out.length > short.out.length)
  assert.match(short.out, /\n2 domains\n/)
  const rows = await check.run([...text, '--quiet'])
  assert.doesNotMatch(rows.out, /2 domains/)
  assert.match(rows.out, /nowhere\.lab does not exist/)
  assert.match(whole.out, /DNS ✓/)
})

test('--output: its name says the format where nobody else does; and an input without a domain is told', async (t) => {
  const lab = await startCleanDomain(t)
  const check = await checkCommand(t, lab)
  const read = async (name: string, ...more: string[]) => {
    const path = join(check.folder, name)
    const ran = await check.run(['example.lab', '--no-smtp', '--rules', 'domain-not-found', '--output', path, ...more])
    assert.equal(ran.code, 0, ran.err)
    return readFile(path, 'utf8')
  }
  assert.equal(JSON.parse(await read('a.jsonl')).domain, 'example.lab')
  await read('a.jsonl', '--resume')
  const kept = await readFile(join(check.folder, 'a.jsonl'), 'utf8')
  const refused = await check.run(['example.lab', '--no-smtp', '--output', join(check.folder, 'a.jsonl')])
  assert.deepEqual([refused.code, refused.out], [2, ''])
  assert.match(refused.err, /a\.jsonl holds something: go on with it by --resume, or replace it by --overwrite/)
  assert.equal(await readFile(join(check.folder, 'a.jsonl'), 'utf8'), kept)
  assert.match(await read('a.jsonl', '--overwrite', '--format', 'html'), /^<!doctype html>/i)
  assert.ok(runSchema.parse(JSON.parse(await read('a.json'))))
  assert.match(await read('a.html'), /^<!doctype html>/i)
  assert.match(await read('a.xml'), /^<\?xml/)
  assert.match(await read('b.jsonl', '--format', 'html'), /^<!doctype html>/i)

  const empty = await check.run(['--input', '-'], '# nobody\n')
  assert.deepEqual([empty.code, empty.err], [2, 'waypost: no domain in the input\n'])
  const absent = await check.run(['--input', '/nowhere/names'])
  assert.deepEqual([absent.code, absent.err], [2, 'waypost: /nowhere/names does not exist\n'])
  assert.match((await check.run(['--rules', 'dane', 'example.lab'])).err, /"dane" is no check; .*dane-/)
})
