/** A file system of a few MiB for a test: a tmpfs, where this user may mount one. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface SmallDisk {
  readonly folder: string
  makeReadOnly(): void
  makeWritable(): void
}

/** @returns undefined where it is not permitted; the caller skips its test */
export function mountSmallDisk(t: TestContext, mebibytes: number): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'waypost-disk-'))
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
  try {
    mount(`size=${mebibytes}m`)
  } catch {
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', folder], { stdio: 'ignore' })
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    makeReadOnly: () => mount('remount,ro'),
    makeWritable: () => mount('remount,rw'),
  }
}
