/**
 * What the configuration keeps in the state folder: a copy of the last good files (`serve --last-good`), and which domains left when.
 * Both are JSON, read as carefully as a stranger's, because people edit and disks fail.
 */
import { access, constants, readFile, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../base/atomic-file.ts'
import type { Clock } from '../base/clock.ts'
import { errorCode, isMissing } from '../base/error-code.ts'
import { makeFolder } from '../base/make-folder.ts'
import type { HostName } from '../dns/name.ts'
import { controlPath, maxControlPath } from '../gateway/operate/control.ts'
import { type Problem, problemOfFile } from './source.ts'

const lastGoodName = 'last-good-config.json'
const departedName = 'departed-domains.json'

/** How long a domain that left still hears 451 instead of 550: time to see a mistake. */
const rememberedMs = 7 * 24 * 3_600_000

const lastGoodFormat = z.object({
  format: z.literal(1),
  savedAtMs: z.number(),
  main: z.string(),
  files: z.array(z.tuple([z.string(), z.string()])),
  domains: z.array(z.string()),
})

const departedFormat = z.object({ format: z.literal(1), departed: z.record(z.string(), z.number()) })

export interface LastGood {
  readonly savedAtMs: number
  /** Absolute path of the main file. */
  readonly main: string
  readonly files: ReadonlyMap<string, string>
  /** The declared names, `example.com` and `*.example.com`. */
  readonly domains: readonly string[]
}

/** The copy as it is written by `saveLastGood`. Bytes, so that handing them to another thread costs nothing. */
export function encodeLastGood(copy: LastGood): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ format: 1, ...copy, files: [...copy.files] }))
}

export async function saveLastGood(state: string, encoded: Uint8Array): Promise<void> {
  await makeStateFolder(state)
  await replaceFile(join(state, lastGoodName), encoded)
}

/** Undefined where there is none, or none that can be read. */
export async function readLastGood(state: string): Promise<LastGood | undefined> {
  const found = lastGoodFormat.safeParse(await readJson(join(state, lastGoodName)))
  return found.success ? { ...found.data, files: new Map(found.data.files) } : undefined
}

/** Domains that left, by declared name, with the moment on the wall clock. */
export type Departed = ReadonlyMap<string, number>

export async function loadDeparted(state: string): Promise<Departed> {
  const found = departedFormat.safeParse(await readJson(join(state, departedName)))
  return new Map(found.success ? Object.entries(found.data.departed) : [])
}

export async function saveDeparted(state: string, departed: Departed): Promise<void> {
  await makeStateFolder(state)
  await replaceFile(join(state, departedName), JSON.stringify({ format: 1, departed: Object.fromEntries(departed) }))
}

/** What is remembered after a change: who left now, without who is back and who left long ago. */
export function departedAfter(
  known: Departed,
  before: Iterable<string>,
  now: ReadonlySet<string>,
  nowMs: number,
): Departed {
  const departed = new Map<string, number>()
  for (const [name, leftMs] of known) {
    // A clock that was ahead must not make a memory that never ends.
    const left = Math.min(leftMs, nowMs)
    if (!now.has(name) && nowMs - left < rememberedMs) departed.set(name, left)
  }
  for (const name of before) if (!now.has(name) && !departed.has(name)) departed.set(name, nowMs)
  return departed
}

/** Asks whether a name was declared less than 7 days ago, by itself or as a subdomain. */
export function leftRecently(departed: Departed, clock: Clock): (domain: HostName) => boolean {
  const isFresh = (name: string) => {
    const leftMs = departed.get(name)
    return leftMs !== undefined && clock.now() - leftMs < rememberedMs
  }
  return (domain) => {
    if (departed.size === 0) return false
    if (isFresh(domain)) return true
    for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
      if (isFresh(`*.${domain.slice(dot + 1)}`)) return true
    }
    return false
  }
}

/** A reload that drops so many is a mistake until someone says that it is none. */
export function dropsTooMany(dropped: number, before: number): boolean {
  return dropped > 10 && dropped > before / 100
}

/** Makes the state folder, for its owner alone. */
export async function makeStateFolder(state: string): Promise<void> {
  await makeFolder(state)
}

/** What speaks against serving with a state folder, or a log file. `for-this-user`: another one may be the one that serves. */
export interface Doubt {
  readonly kind: 'for-this-user' | 'for-everybody'
  readonly why: string
}

/**
 * Undefined where nothing speaks against it. A folder that is missing is made later, and nothing is made here.
 * @param userId  undefined where the system has none
 */
export async function doubtState(state: string, userId: number | undefined): Promise<Doubt | undefined> {
  if (Buffer.byteLength(controlPath(state)) > maxControlPath)
    return {
      kind: 'for-everybody',
      why: `the path of the state folder is too long for the socket in it: ${controlPath(state)} has more than ${maxControlPath} octets; ${elsewhere}`,
    }
  try {
    const found = await stat(state)
    if (!found.isDirectory())
      return {
        kind: 'for-everybody',
        why: `the state folder ${state} is not a folder: ${elsewhere}, or move what is there away`,
      }
    // Root may do everything, and a service's folder belongs to the service's user.
    if (userId === undefined || userId === 0 || found.uid === userId) return undefined
    return {
      kind: 'for-this-user',
      why: `the state folder ${state} belongs to another user (${found.uid}): only that user, or root, can serve with it. Run this as that user, ${elsewhere}, or, where nobody else serves with it, give it away (as root: chown -R ${userId} ${state})`,
    }
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return doubtMaking(state, userId)
    if (code === 'ENOTDIR')
      return {
        kind: 'for-everybody',
        why: `the state folder ${state} lies below something that is not a folder: ${elsewhere}`,
      }
    if (!notThere.has(code)) throw error
    return {
      kind: 'for-this-user',
      why: `the state folder ${state} cannot be reached by this user (${String(code)}): what is above it is closed to them; ${elsewhere}`,
    }
  }
}

/** With the place of what is meant, where the file says it. */
export const writtenProblem = (why: string, file: string, written: Omit<Problem, 'message'> | undefined): Problem =>
  written ? { ...written, message: why } : problemOfFile(file, why)

const elsewhere = 'name another with "state:"'

/** Whether a folder that is missing could be made: what is there of the way to it must be a folder that can be written. */
async function doubtMaking(state: string, userId: number | undefined): Promise<Doubt | undefined> {
  const above = await firstThere(dirname(state))
  const cannot = `the state folder ${state} cannot be made`
  // Root may write to these by their modes, and nothing can be made there all the same.
  if (await keepsNoFiles(above))
    return { kind: 'for-everybody', why: `${cannot}: ${above} keeps no files; ${elsewhere}` }
  try {
    await access(above, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return {
      kind: 'for-this-user',
      why: `${cannot} by this user: ${above} cannot be written (${errorCode(error)}). Make it as root (install -d -m 700 -o ${userId ?? 'USER'} ${state}), or ${elsewhere}`,
    }
  }
}

async function firstThere(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    const parent = dirname(path)
    if (!isMissing(error) || parent === path) throw error
    return firstThere(parent)
  }
}

/** Whether nothing can be made in a folder, whoever tries. */
export const keepsNoFiles = async (folder: string): Promise<boolean> => kernelOnly.has((await statfs(folder)).type)

/** Of Linux: proc and sysfs, as `statfs` names them. */
const kernelOnly: ReadonlySet<number> = new Set([0x9fa0, 0x62656572])

/** Undefined too where this user may not look: `waypost config check` is for everybody. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if (notThere.has(errorCode(error))) return undefined
    throw error
  }
}

const notThere: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'])
