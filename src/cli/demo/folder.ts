/**
 * The demo's folder: made for it, and gone with it, however it ends. A small shell waits for our end, which it hears by the end of its input, so that
 * the folder goes also when this process is killed or crashes.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface DemoFolder {
  readonly path: string
  /** Nothing of it is left when this resolves. */
  remove(): Promise<void>
}

/** Rejects with the system's error where there is no place for temporary files. */
export async function makeDemoFolder(): Promise<DemoFolder> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-demo-'))
  // In a session of its own: what ends us at the terminal (Ctrl-C, a closed window) must not end it first.
  const guard = spawn('/bin/sh', ['-c', 'while read -r line; do :; done; rm -rf -- "$1"', 'sh', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  guard.unref()
  // Without a shell an orderly end removes the folder all the same.
  guard.on('error', () => undefined)
  guard.stdin.on('error', () => undefined)
  const guarded = new Promise<void>((resolve) => {
    guard.once('exit', () => resolve())
    guard.once('error', () => resolve())
  })
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
      guard.stdin.end()
      await guarded
    },
  }
}
