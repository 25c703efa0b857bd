/** Configurations in folders of their own, loaded: for the tests of `src/config`. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../src/base/clock.ts'
import { type LoadDeps, type Loaded, loadConfig } from '../src/config/load.ts'
import { formatProblems } from '../src/config/source.ts'
import { parseMailbox } from '../src/mail/address.ts'

export const deps: LoadDeps = { clock: systemClock, machineName: 'box.example.net' }

/** A folder with these files; gone when the test is over. */
export async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-config-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  return path
}

export async function load(t: TestContext, text: string, more: Readonly<Record<string, string>> = {}): Promise<Loaded> {
  const path = join(await folder(t, { 'waypost.yaml': text, ...more }), 'waypost.yaml')
  const loaded = await loadConfig(path, deps)
  assert.equal(loaded.kind, 'loaded', loaded.kind === 'invalid' ? formatProblems(loaded.problems) : '')
  return loaded.kind === 'loaded' ? loaded : assert.fail()
}

/** `line:column message` of each problem. */
export async function problems(
  t: TestContext,
  text: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const path = await folder(t, { 'waypost.yaml': text, ...more })
  const loaded = await loadConfig(join(path, 'waypost.yaml'), deps)
  assert.equal(loaded.kind, 'invalid')
  if (loaded.kind !== 'invalid') return []
  return loaded.problems.map(({ file, line, column, message }) => {
    const name = file.endsWith('/waypost.yaml') ? '' : `${file.slice(path.length + 1)}:`
    return `${name}${line}:${column} ${message.replaceAll(path, '')}`
  })
}

export function destination(loaded: Loaded, address: string): string {
  const parsed = parseMailbox(address)
  if (parsed.kind === 'invalid') return assert.fail(address)
  const found = loaded.settings.destinations.find(parsed.mailbox)
  if (found.kind === 'route') return found.route.entries.map(({ backend }) => backend.url).join(' ')
  return found.kind === 'not-ours' && found.leftRecently ? 'left recently' : found.kind
}
