/**
 * Reads a zone file, and what it includes: regular files alone, and no more of them than a zone may have. Called by `zone-file.ts`.
 * RFC 1035 §5.1.
 */
import { realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { errorCode } from '../../../base/error-code.ts'
import { printable } from '../../../base/printable.ts'
import { readRegular } from '../../../base/regular-file.ts'
import type { ReadFile } from '../../../dns/zone-text/includes.ts'
import type { TargetFailure } from '../target.ts'
import { whyRefused } from './replace-zone-file.ts'

/** What a zone file may have, octets. */
const maxBytes = 64 * 1024 * 1024

export type ReadZoneFile =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'not-read'; readonly isMissing: boolean; readonly failure: TargetFailure }

/** Rejects with the system's error where it is none of those that a person can mend. */
export async function readZoneFile(path: string): Promise<ReadZoneFile> {
  const shown = printable(path, 300)
  const refused = (what: string, remedy: string): ReadZoneFile => ({
    kind: 'not-read',
    isMissing: false,
    failure: { kind: 'refused', why: `${shown} ${what}`, remedy },
  })
  try {
    const read = await readRegular(path, 'any', maxBytes)
    switch (read.kind) {
      case 'read':
        return read
      case 'irregular':
        return refused('is no regular file', 'Name the file itself by "path:" under the publisher.')
      case 'too-large':
        return refused(`has more than ${maxBytes} octets`, 'Keep the zone in a server that takes dynamic updates.')
    }
  } catch (error) {
    const why = whyRefused(error)
    if (why === undefined) throw error
    const isMissing = errorCode(error) === 'ENOENT'
    const remedy = 'See "path:" under the publisher, and the rights of this user.'
    const kind = isMissing ? 'no-such-zone' : 'refused'
    return { kind: 'not-read', isMissing, failure: { kind, why: `${shown} cannot be read: ${why}`, remedy } }
  }
}

/**
 * Reads a file that a zone file includes, which must lie in the zone file's folder or below, links followed: whoever writes zones need not be
 * who may read this machine's other files.
 * @param zonePath  of the zone file; what is included is named relative to its folder, which is where people put them
 */
export async function readIncluded(zonePath: string, included: string): Promise<ReadFile> {
  const folder = await realpath(dirname(zonePath)).catch(() => dirname(zonePath))
  const named = resolve(dirname(zonePath), included)
  const file = await realpath(named).catch(() => join(folder, relative(dirname(zonePath), named)))
  if (!file.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`))
    return { kind: 'unreadable', why: `it is outside of ${printable(folder, 300)}, the folder of the zone file` }
  const read = await readZoneFile(file)
  return read.kind === 'read'
    ? { kind: 'read', file: named, bytes: read.bytes }
    : { kind: 'unreadable', why: read.failure.why }
}
