import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDns } from '../../../test/lab/dns.ts'
import { zoneFile } from '../../../test/lab/zone-lines.ts'
import { migrateCommand } from '../migrate/migrate.ts'
import { createProgram } from '../program.ts'
import { applyCommand } from './apply.ts'
import { planCommand } from './plan.ts'

test('an export is neither JSON nor judged: what it would not heed is refused', async () => {
  for (const more of [['--json'], ['--allow', 'null-mx']]) {
    let err = ''
    const terminal = {
      out: (text: string) => assert.fail(text),
      err(text: string) {
        err += text
      },
    }
    const program = createProgram('1.2.3', terminal, (run) => [planCommand(run, { color: false })])
    assert.equal(await program.run(['plan', '--export', 'zone', '-c', 'not-there.yaml', ...more]), 2)
    assert.match(err, new RegExp(`--export <format>' cannot be used with option '${more[0]}`))
  }
})

test('a state folder of another user: nothing is planned without what it says of migrations', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-closed-'))
  t.after(() => rm(folder, { recursive: true }))
  const state = join(folder, 'state')
  const config = join(folder, 'waypost.yaml')
  await chmod(folder, 0o755)
  await mkdir(join(state, 'migrations'), { recursive: true })
  await writeFile(
    config,
    `hostname: mx.waypost.test\nstate: ${state}\ndomains: { example.test: { exchangers: none, publish: builtin } }\n`,
    { mode: 0o644 },
  )
  const isRoot = process.geteuid?.() === 0
  await chmod(state, isRoot ? 0o700 : 0)
  if (isRoot) process.seteuid?.(65_534)
  try {
    for (const words of [['plan'], ['apply', '--yes'], ['migrate', 'example.test']]) {
      let err = ''
      const terminal = {
        out: (text: string) => assert.fail(text),
        err(text: string) {
          err += text
        },
      }
      const deps = { color: false, ask: undefined }
      const program = createProgram('1.2.3', terminal, (run) => [
        planCommand(run, deps),
        applyCommand(run, deps),
        migrateCommand(run, deps),
      ])
      assert.equal(await program.run([...words, '-c', config]), 2)
      assert.match(err, /the state folder \S+ belongs to another user, and says which domains are being migrated/)
    }
  } finally {
    if (isRoot) process.seteuid?.(0)
    await chmod(state, 0o700)
  }
})

test('an export says what stands in its way, in front of the records and by its exit code', async (t) => {
  const { server } = await startDns(t, {})
  const folder = await mkdtemp(join(tmpdir(), 'waypost-export-'))
  t.after(() => rm(folder, { recursive: true }))
  const config = join(folder, 'waypost.yaml')
  const file = join(folder, 'db')
  const spf = '@ TXT "v=spf1 mx -all"\n@ TXT "v=spf1 a -all"'
  await writeFile(file, zoneFile('example.test.', `@ SOA ns h 5 14400 3600 604800 300\n@ NS ns.example.net.\n${spf}`))
  await writeFile(
    config,
    JSON.stringify({
      ...{ hostname: 'mx.waypost.test', state: join(folder, 'state') },
      resolver: { servers: [`${server.address}:${server.port}`] },
      publishers: { files: { type: 'zonefile', path: file } },
      domains: { 'example.test': { exchangers: 'none', records: { spf: 'v=spf1 -all' }, publish: 'files' } },
    }),
  )
  const said = { out: '', err: '' }
  const terminal = {
    out(text: string) {
      said.out += text
    },
    err(text: string) {
      said.err += text
    },
  }
  const program = createProgram('1.2.3', terminal, (run) => [planCommand(run, { color: false })])
  assert.equal(await program.run(['plan', '--export', 'zone', '--no-smtp', '-c', config]), 1)
  assert.match(said.out, /^; cannot be done as it is declared: example\.test\. TXT/)
  assert.match(said.err, /^waypost: cannot be done as it is declared: example\.test\. TXT/)
})

test('where no domain declares anything, a plan says so, and no more of changes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-plan-'))
  t.after(() => rm(folder, { recursive: true }))
  const config = join(folder, 'waypost.yaml')
  const text = {
    hostname: 'mx.waypost.test',
    state: folder,
    domains: { 'example.test': { deliver: 'smtp://127.0.0.1:9' } },
  }
  await writeFile(config, JSON.stringify(text))
  let out = ''
  const terminal = {
    out(text: string) {
      out += text
    },
    err: (text: string) => assert.fail(text),
  }
  const program = createProgram('1.2.3', terminal, (run) => [planCommand(run, { color: false })])
  assert.equal(await program.run(['plan', '-c', config]), 0)
  assert.match(out, /^Nothing is declared: no domain has "exchangers:"\. "waypost import dns /)
  assert.doesNotMatch(out, /No changes/)
})
