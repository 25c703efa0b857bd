/** How much is free on the file system below a folder, at the cost of one look in half a second. For the hold, and for Maildirs beside it. */
import { statfs } from 'node:fs/promises'
import type { Clock } from './clock.ts'

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

/** Watches the file system of `folder`. Rejects with the system's error where that cannot be asked. */
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

  await ask()
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
