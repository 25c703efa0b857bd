import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { labName } from '../../../../test/lab/names.ts'
import { a, apex, change, mx, mxSet, type TargetStand, testTarget } from '../../../../test/unit/target-contract.ts'
import { systemClock } from '../../../base/clock.ts'
import { systemRandom } from '../../../base/random.ts'
import { typeCodes } from '../../../dns/types.ts'
import { editZone } from '../../../dns/zone-text/edit.ts'
import { type CommandOutcome, runCommand } from './command.ts'
import { createZoneFileTarget } from './zone-file.ts'

const nowMs = Date.UTC(2026, 10, 23, 12)

const small = `$ORIGIN example.test.
$TTL 300
@ SOA ns hostmaster 2026112300 3600 600 86400 60
@ NS ns
@ MX 10 mx1
@ MX 20 mx2
@ TXT "v=spf1 mx -all"
@ TXT "another-string"
ns A 192.0.2.53
mx1 A 192.0.2.1
mx2 A 192.0.2.2
www A 192.0.2.80
`

interface Words {
  readonly text?: string
  readonly load?: () => Promise<CommandOutcome>
  readonly check?: readonly string[]
  readonly liveSerial?: number
  /** In place of the file's own path. */
  readonly path?: string
  readonly includes?: boolean
}

async function stage(t: TestContext, { text = small, load, check, liveSerial, path, includes }: Words = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-zone-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'db.example.test')
  await writeFile(file, text)
  const servers = liveSerial === undefined ? [] : [{ address: '192.0.2.53' as never, port: 53 }]
  const target = createZoneFileTarget(
    { publisher: 'file', zone: apex, path: path ?? file, servers, check, commandMs: 5_000, includes },
    {
      clock: { ...systemClock, now: () => nowMs },
      random: systemRandom,
      load: load ?? (async () => ({ kind: 'done' })),
      loadRemedy: 'Mend it.',
      newZone: undefined,
      liveSerial: async () => liveSerial,
    },
  )
  const stand: TargetStand = {
    target,
    dump: async () => (await readFile(file, 'utf8')).split('\n').filter((line) => !line.includes('SOA')),
    async anotherHand(set, content) {
      const edits = [{ ...set, ttlSeconds: content?.ttlSeconds ?? 0, data: content?.data ?? [] }]
      const edited = editZone(await readFile(file), edits, { zone: apex, nowMs })
      assert.ok(edited.kind === 'edited')
      await writeFile(file, edited.bytes)
    },
  }
  return { folder, file, target, stand, read: () => readFile(file, 'utf8') }
}

testTarget('zone file', async (t) => (await stage(t)).stand)

const wanted = { ttlSeconds: 300, data: [mx(10, 'mx1.example.test'), mx(5, 'mx3.example.test')] }

test('only the MX lines and the serial change, among comments, tabs, CRLF, $GENERATE and parentheses', async (t) => {
  const text = [
    '; kept by hand',
    '$TTL 1h ; an hour',
    '@\tIN SOA ns hostmaster (',
    '\t\t2026112201 ; serial',
    '\t\t3600 600 86400 60 )',
    '\tNS ns',
    '',
    '\t300\tIN\tMX 10 mx1 ; first',
    '\tIN 300 MX 20 mx2',
    '$GENERATE 1-3 host$ A 192.0.2.$',
    'ns A 192.0.2.53',
    '',
  ].join('\r\n')
  const { stand, read } = await stage(t, { text })
  assert.equal((await change(stand, [[mxSet, wanted]])).kind, 'applied')
  const lines = (await read()).split('\r\n')
  const before = text.split('\r\n')
  assert.equal(lines.length, before.length)
  const changed = lines.flatMap((line, index) => (line === before[index] ? [] : [line]))
  assert.deepEqual(changed, ['\t\t2026112300 ; serial', '\tIN 300 MX 5 mx3.example.test.'])
})

test('a comment that would no longer be true goes, and is told', async (t) => {
  const text = small.replace('MX 20 mx2', 'MX 20 mx2 ; backup at \x1b[31mBob')
  const { stand, read } = await stage(t, { text })
  const applied = await change(stand, [[mxSet, wanted]])
  assert.ok(applied.kind === 'applied')
  assert.equal(applied.note, 'comments went with the records that they stood beside (line 6: ; backup at \\x1b[31mBob)')
  assert.match(await read(), /^@ MX 5 mx3\.example\.test\.$/m)
})

test('a file with a line that is not understood is not read and not written, and its place is told', async (t) => {
  const text = `${small}mail IN ALIAS www\n`
  const { target, read } = await stage(t, { text })
  const seen = await target.read([mxSet])
  assert.ok(seen.kind === 'unusable', JSON.stringify(seen))
  assert.match(seen.why, /db\.example\.test:13:9: "ALIAS" is no record type/)
  const changes = [{ ...mxSet, before: undefined, after: wanted }]
  assert.equal((await target.apply({ version: 'any', changes })).kind, 'unusable')
  assert.equal(await read(), text)
})

test('what is nearly always a mistake is told at the plan, with its place', async (t) => {
  const text = `${small}old MX 10 mx1.example.test\n_dmarc TXT v=DMARC1; p=none\n`
  const { target } = await stage(t, { text })
  const seen = await target.read([mxSet])
  assert.ok(seen.kind === 'read')
  assert.equal(seen.notes.length, 2)
  assert.match(seen.notes[0] ?? '', /db\.example\.test:13:11: "mx1\.example\.test" has no final dot/)
  assert.match(seen.notes[1] ?? '', /db\.example\.test:14:20: the text ends here, because ";" begins a comment/)
})

test('what stands in an included file is refused with its place, and what is included counts for the version', async (t) => {
  const { folder, stand, file, target } = await stage(t, {
    text: `${small}$INCLUDE more.zone\n`,
    includes: true,
  })
  const more = join(folder, 'more.zone')
  await writeFile(more, 'mx9 300 A 192.0.2.9\n')
  const set = { name: labName('mx9.example.test'), code: typeCodes.A }
  const refused = await change(stand, [[set, { ttlSeconds: 300, data: [a('192.0.2.99')] }]])
  assert.ok(refused.kind === 'refused')
  assert.match(refused.why, /more\.zone:1: .*edit it there/)

  const read = await target.read([mxSet])
  assert.ok(read.kind === 'read')
  await writeFile(more, 'mx9 300 A 192.0.2.10\n')
  const [before] = read.sets
  const late = await target.apply({ version: read.version, changes: [{ ...mxSet, before, after: wanted }] })
  assert.equal(late.kind, 'conflict')
  assert.equal(await readFile(file, 'utf8'), `${small}$INCLUDE more.zone\n`)
})

test('an $INCLUDE is refused with its line, and not opened, unless the publisher allows it', async (t) => {
  const { target } = await stage(t, { text: `${small}$INCLUDE /etc/passwd\n` })
  const read = await target.read([mxSet])
  assert.ok(read.kind === 'refused')
  assert.match(read.why, /db\.example\.test:13: \$INCLUDE is not followed/)
})

for (const [what, name, why] of [
  ['a pipe', 'pipe', /pipe is no regular file/],
  ['a device', 'zero', /outside of .*, the folder of the zone file/],
  ['a file of the system', '/etc/passwd', /outside of /],
  ['a way out', '../../../etc/passwd', /outside of /],
  ['a folder', '.', /outside of /],
  ['what is not there', 'nothing', /cannot be read: there is no such file/],
] as const)
  test(`${what} is not included`, async (t) => {
    const { folder, target } = await stage(t, { text: `${small}$INCLUDE ${name}\n`, includes: true })
    assert.equal((await runCommand(['mkfifo', join(folder, 'pipe')], 5_000, systemClock)).kind, 'done')
    await symlink('/dev/zero', join(folder, 'zero'))
    const read = await target.read([mxSet])
    assert.ok(read.kind === 'unusable')
    assert.match(read.why, why)
  })

test('what is no regular file is no zone file', async (t) => {
  const { folder } = await stage(t)
  const pipe = join(folder, 'pipe')
  assert.equal((await runCommand(['mkfifo', pipe], 5_000, systemClock)).kind, 'done')
  for (const path of [pipe, '/dev/zero', folder]) {
    const read = await (await stage(t, { path })).target.read([mxSet])
    assert.ok(read.kind === 'refused')
    assert.match(read.why, /is no regular file/)
  }
})

test('the serial is newer than what the servers answer with, too', async (t) => {
  const { stand, read } = await stage(t, { liveSerial: 2026112399 })
  assert.equal((await change(stand, [[mxSet, wanted]])).kind, 'applied')
  assert.match(await read(), /hostmaster 2026112400 /)
})

test('mode and symbolic link stay, and no draft is left behind', async (t) => {
  const { folder, file } = await stage(t)
  await chmod(file, 0o640)
  const link = join(folder, 'link.zone')
  await symlink('db.example.test', link)
  const linked = await stage(t, { path: link })
  assert.equal((await change(linked.stand, [[mxSet, wanted]])).kind, 'applied')
  assert.ok((await lstat(link)).isSymbolicLink())
  assert.equal((await stat(file)).mode & 0o777, 0o640)
  assert.match(await readFile(file, 'utf8'), /mx3/)
  assert.deepEqual((await readdir(folder)).toSorted(), ['db.example.test', 'link.zone'])
})

test('a checker that says no, a folder that is none, a reload that fails: the file is as it was, or it is said what is', async (t) => {
  const refused = await stage(t, { check: ['/bin/sh', '-c', 'echo "line 3: bad $0" >&2; exit 1', '{file}'] })
  const outcome = await change(refused.stand, [[mxSet, wanted]])
  assert.ok(outcome.kind === 'refused')
  assert.match(outcome.why, /not accepted: .* ended with 1: line 3: bad/)
  assert.equal(await refused.read(), small)
  assert.deepEqual(await readdir(refused.folder), ['db.example.test'])

  const load = async () => ({ kind: 'failed', why: '"rndc reload" ended with 1' }) as const
  const failing = await stage(t, { text: small.replace('MX 20 mx2', 'MX 20 mx2 ; backup'), load })
  const notLoaded = await change(failing.stand, [[mxSet, wanted]])
  assert.ok(notLoaded.kind === 'not-loaded')
  assert.equal(notLoaded.remedy, 'Mend it.')
  // What went with the change is told here too: it is written.
  assert.match(notLoaded.why, /ended with 1; comments went with the records .*backup/)
  assert.match(await failing.read(), /mx3/)

  const folder = await stage(t)
  await rm(folder.file)
  await mkdir(folder.file)
  assert.equal((await folder.target.read([mxSet])).kind, 'refused')
})

test('commands run without a shell, without our environment, and not for ever', async () => {
  process.env.WAYPOST_TEST_SECRET = 'sesame'
  const run = (...argv: string[]) => runCommand(argv, 300, systemClock)
  assert.deepEqual(await run('/bin/sh', '-c', 'test -z "$WAYPOST_TEST_SECRET"'), { kind: 'done' })
  assert.deepEqual(await run('/usr/bin/test', '$HOME', '=', '$HOME'), { kind: 'done' })
  const missing = await run('/no/such/program')
  const notStarted = '"/no/such/program" could not be started: there is no /no/such/program'
  assert.deepEqual(missing, { kind: 'failed', why: notStarted })
  const noProgram = await run('/etc/passwd', 'reload')
  assert.deepEqual(noProgram, {
    kind: 'failed',
    why: '"/etc/passwd reload" could not be started: /etc/passwd is not executable for this user: chmod +x makes it so',
  })
  const hanging = await run('sleep', '30')
  assert.ok(hanging.kind === 'failed' && /did not end within 0\.3 s/.test(hanging.why))
  const loud = await run('/bin/sh', '-c', 'printf "\\033[2Jbad\\n"; exit 3')
  assert.ok(loud.kind === 'failed' && loud.why.endsWith('ended with 3: \\x1b[2Jbad'), JSON.stringify(loud))
})
