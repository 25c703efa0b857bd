/**
 * The files that a zone's text includes, read so that an editor knows which records stand in them, and refuses to change those.
 * Called by whoever edits a zone file, before `edit.ts`. RFC 1035 §5.1.
 */
import type { TextProblem } from '../../base/place.ts'
import type { ZoneText } from './entries.ts'
import { parseZone } from './parse.ts'

export interface IncludedFile {
  /** As the caller's `read` names it. */
  readonly file: string
  readonly zone: ZoneText
}

export type ReadFile =
  | { readonly kind: 'read'; readonly file: string; readonly bytes: Uint8Array }
  | { readonly kind: 'unreadable'; readonly why: string }

export type ReadIncludes =
  | { readonly kind: 'read'; readonly included: readonly IncludedFile[] }
  | { readonly kind: 'invalid'; readonly file: string; readonly problems: readonly TextProblem[] }
  | { readonly kind: 'unreadable'; readonly path: string; readonly why: string }

/** A file that includes itself ends here. */
const maxFiles = 100
const maxBytes = 64 * 1024 * 1024

/**
 * @param zone  of the first file
 * @param read  finds and reads a file; what `path` is relative to is a habit of the server (its working directory, not the file's)
 */
export async function readIncludes(zone: ZoneText, read: (path: string) => Promise<ReadFile>): Promise<ReadIncludes> {
  const included: IncludedFile[] = []
  const waiting: ZoneText[] = [zone]
  let bytesLeft = maxBytes
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const entry of next.entries) {
      if (entry.kind !== 'include') continue
      const { path } = entry
      if (included.length >= maxFiles)
        return { kind: 'unreadable', path, why: `it is one of more than ${maxFiles} files` }
      const found = await read(path)
      if (found.kind === 'unreadable') return { kind: 'unreadable', path, why: found.why }
      if (found.bytes.length > bytesLeft)
        return { kind: 'unreadable', path, why: `all files together are longer than ${maxBytes} octets` }
      bytesLeft -= found.bytes.length
      const parsed = parseZone(found.bytes, {
        origin: entry.includedOrigin,
        others: 'keep',
        ...(entry.ttlSeconds === undefined ? {} : { ttlSeconds: entry.ttlSeconds }),
      })
      if (parsed.kind === 'invalid') return { kind: 'invalid', file: found.file, problems: parsed.problems }
      included.push({ file: found.file, zone: parsed.zone })
      waiting.push(parsed.zone)
    }
  }
  return { kind: 'read', included }
}
