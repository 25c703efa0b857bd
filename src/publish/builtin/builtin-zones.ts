/**
 * The zones of the built-in server: a file each in the state folder, as zone text that any server reads. `plan` and `apply` change them like
 * other zone files; `waypost serve` serves all that lie there. So what is served is what was applied, and neither a restart nor a mistake in
 * waypost.yaml changes it.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, isMissing } from '../../base/error-code.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { ZoneSource } from '../../dns/authoritative/zone.ts'
import { nameFromText, type WireName } from '../../dns/wire-name.ts'
import { parseZone, recordsOf } from '../../dns/zone-text/parse.ts'
import { builtinZoneFile } from '../targets/builtin-zone.ts'

export interface ReadBuiltinZones {
  readonly zones: readonly ZoneSource[]
  /** Files that could not be read or are no zones, each with the reason. */
  readonly problems: readonly { readonly file: string; readonly why: string }[]
}

/** Files at once: enough to keep a disk busy, and few enough for the limits of a process. */
const atOnce = 32

type ReadZone = { readonly kind: 'zone'; readonly zone: ZoneSource } | { readonly kind: 'failed'; readonly why: string }

interface Kept {
  /** What a file that was written anew has otherwise: device and place, size, and the time of its last change. */
  readonly mark: string
  readonly read: ReadZone
}

/**
 * Reads all zones of the folder; one that is not there has none. A reading looks at every file and reads those that changed since the one before.
 * Where it is told which zones these are, it looks at their files and at new ones alone: among very many, that is most of the work.
 */
export function createBuiltinZoneReader(folder: string): (changed?: readonly WireName[]) => Promise<ReadBuiltinZones> {
  let kept: ReadonlyMap<string, Kept> = new Map()
  return async (changed) => {
    const lookedAt = changed && new Set(changed.map(builtinZoneFile))
    const files = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return []
      throw error
    })
    const names = files.filter((file) => file.endsWith('.zone') && !file.startsWith('.')).toSorted()
    const isLookedAt = (file: string) => lookedAt === undefined || lookedAt.has(file) || !kept.has(file)
    const before = kept
    const read = new Map(
      await mapAtOnce(names.filter(isLookedAt), atOnce, async (file) => {
        return [file, await readAgain(folder, file, before.get(file))] as const
      }),
    )
    const now = new Map<string, Kept>()
    for (const file of names) {
      const one = read.get(file) ?? before.get(file)
      if (one) now.set(file, one)
    }
    kept = now
    const zones: ZoneSource[] = []
    const problems: { file: string; why: string }[] = []
    for (const [file, { read }] of now) {
      if (read.kind === 'failed') problems.push({ file, why: read.why })
      else zones.push(read.zone)
    }
    return { zones, problems }
  }
}

async function readAgain(folder: string, file: string, before: Kept | undefined): Promise<Kept> {
  const found = await stat(join(folder, file), { bigint: true }).catch(
    (error: unknown) => errorCode(error) ?? 'unknown',
  )
  if (typeof found === 'string') return { mark: '', read: failed(`it cannot be read (${found})`) }
  const mark = [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ')
  return before?.mark === mark ? before : { mark, read: await readOne(folder, file) }
}

async function readOne(folder: string, file: string): Promise<ReadZone> {
  const name = nameFromText(file.slice(0, -'.zone'.length))
  if (name.kind === 'invalid') return failed(`its name is no zone: ${name.why}`)
  const bytes = await readFile(join(folder, file)).catch((error: unknown) => errorCode(error) ?? 'unknown')
  if (typeof bytes === 'string') return failed(`it cannot be read (${bytes})`)
  const parsed = parseZone(bytes, { origin: name.name, others: 'refuse' })
  if (parsed.kind === 'zone') return { kind: 'zone', zone: { origin: name.name, records: recordsOf(parsed.zone) } }
  const problem = parsed.problems[0]
  return failed(problem ? `line ${problem.line}: ${problem.message}` : 'it cannot be read')
}

const failed = (why: string): ReadZone => ({ kind: 'failed', why })
