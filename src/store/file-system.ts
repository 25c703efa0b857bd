/**
 * What can be told of the file system below a folder: how much is free, and whether it lies on another machine, where SQLite's WAL does not
 * work (https://sqlite.org/wal.html: all users share memory) and a lock may mean nothing.
 */
import { statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { platform } from 'node:os'
import type { Clock } from '../base/clock.ts'
import { asFailure, StoreFailure } from './failure.ts'

/** Magic numbers of statfs(2), which are Linux's. FUSE is not among them: it may be local as well. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB 2'],
  [0xff534d42, 'CIFS'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x00c36400, 'Ceph'],
  [0x01021997, '9P'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
])

/** The name of the network file system that the folder lies on, or undefined where it is on none that we can tell. */
export function networkFileSystem(folder: string): string | undefined {
  return platform() === 'linux' ? networkFileSystems.get(statfsSync(folder).type >>> 0) : undefined
}

export interface FreeSpace {
  /** Octets that we could write, and octets in all, as of the last look. */
  readonly freeBytes: number
  readonly totalBytes: number
  /** Looks again where the last look is older than half a second. Never waits, never throws. */
  refresh(): void
  /** Looks now. Where the disk gives no answer, the figures stay. */
  look(): Promise<void>
}

const freshMs = 500

/** Watches the file system of `folder`. Throws a `StoreFailure` where that cannot be asked. */
export async function watchFreeSpace(folder: string, clock: Clock): Promise<FreeSpace> {
  let current = { free: 0, total: 0 }
  let lookedMs = clock.monotonicMs()
  let looking: Promise<void> | undefined

  async function ask(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(folder)
    current = { free: bavail * bsize, total: blocks * bsize }
    lookedMs = clock.monotonicMs()
  }
  const look = () => {
    looking ??= ask()
      .catch(() => undefined)
      .finally(() => {
        looking = undefined
      })
    return looking
  }

  await ask().catch((error: unknown) => {
    throw asFailure(error) ?? new StoreFailure('io', String(error))
  })
  return {
    get freeBytes() {
      return current.free
    },
    get totalBytes() {
      return current.total
    },
    refresh() {
      if (clock.monotonicMs() - lookedMs > freshMs) void look()
    },
    look,
  }
}
