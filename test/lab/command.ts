/** A command of the command line as people run it in a folder of theirs: a process of its own, to its end. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Ran } from './check-command.ts'

export interface CommandFolder {
  readonly folder: string
  /** `waypost` with these words. Rejects where it has not ended after three minutes. */
  run(...words: readonly string[]): Promise<Ran>
}

const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))
const timeoutMs = 180_000

/** @param env  beside the test's own */
export async function commandFolder(
  t: Pick<TestContext, 'after'>,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-command-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return {
    folder,
    run(...words) {
      const { NODE_TEST_CONTEXT: _, ...own } = process.env
      const options = { cwd: folder, env: { ...own, ...env }, timeout: timeoutMs, killSignal: 'SIGKILL' } as const
      const child = spawn(waypost, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
      const said = { out: '', err: '' }
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
      return new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('close', (code, signal) =>
          signal ? reject(new Error(`waypost ${words.join(' ')}: ${signal}`)) : resolve({ code, ...said }),
        )
      })
    },
  }
}
