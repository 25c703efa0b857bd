/**
 * A zone kept in a file: of BIND, NSD, Knot or anything that reads RFC 1035 text, and those of the built-in server. Made by
 * `create-target.ts`.
 *
 * The file is edited and not written anew: comments, order and every untouched octet stay, and the serial grows (`dns/zone-text`). What was
 * read is known again by its hash, so that a file that somebody else changed in between is not written. One rename makes all changes or none.
 */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Clock } from '../../../base/clock.ts'
import { placeAt } from '../../../base/place.ts'
import { printable } from '../../../base/printable.ts'
import type { Random } from '../../../base/random.ts'
import type { NameServer } from '../../../dns/servers.ts'
import { nameText, type WireName } from '../../../dns/wire-name.ts'
import { editZone, type ZoneEdit } from '../../../dns/zone-text/edit.ts'
import type { ZoneText } from '../../../dns/zone-text/entries.ts'
import { type IncludedFile, readIncludes } from '../../../dns/zone-text/includes.ts'
import { parseZone, recordsOf } from '../../../dns/zone-text/parse.ts'
import type { LostComment } from '../../../dns/zone-text/render.ts'
import type { RrsetEdit } from '../../../dns/zone-text/rrset-edit.ts'
import { collectSets } from '../../sets/collect-sets.ts'
import type { RecordSet, SetName } from '../../sets/record-set.ts'
import {
  type ChangeSet,
  noLimits,
  type SetChange,
  type Target,
  type TargetApplied,
  type TargetFailure,
  type TargetRead,
} from '../target.ts'
import { type CommandOutcome, runCommand } from './command.ts'
import { readIncluded, readZoneFile } from './read-zone-file.ts'
import { replaceZoneFile } from './replace-zone-file.ts'

export interface ZoneFileOptions {
  readonly publisher: string
  readonly zone: WireName
  /** Absolute. */
  readonly path: string
  /** Whom to ask whether a change has arrived; the live serial is theirs, too. */
  readonly servers: readonly NameServer[]
  /** Judges the draft before it takes the file's place: program and arguments, `{file}` stands for the draft. */
  readonly check: readonly string[] | undefined
  readonly commandMs: number
  /** Whether files of its folder that it includes are read; else a zone with an $INCLUDE is refused. */
  readonly includes?: boolean | undefined
}

export interface ZoneFileDeps {
  readonly clock: Clock
  readonly random: Random
  /** Has the server read the file. Undefined: somebody else does, or the server looks by itself. */
  readonly load: (() => Promise<CommandOutcome>) | undefined
  /** What people do where `load` failed. */
  readonly loadRemedy: string
  /** What a zone begins with that has no file yet. Undefined: a file that is missing is a mistake. */
  readonly newZone: (() => string) | undefined
  /** The serial that a server answers with, undefined where it does not answer. */
  readonly liveSerial: (server: NameServer) => Promise<number | undefined>
}

interface ReadZone {
  readonly kind: 'zone'
  readonly bytes: Buffer
  readonly zone: ZoneText
  readonly included: readonly IncludedFile[]
  readonly version: string
  readonly isNew: boolean
}

export function createZoneFileTarget(options: ZoneFileOptions, deps: ZoneFileDeps): Target {
  const { path, zone } = options
  const shown = printable(path, 300)

  const load = async (): Promise<ReadZone | TargetFailure> => {
    const read = await readZoneFile(path)
    if (read.kind === 'read') return parse(read.bytes, options, false)
    const text = read.isMissing ? deps.newZone?.() : undefined
    return text === undefined ? read.failure : parse(Buffer.from(text, 'latin1'), options, true)
  }

  return {
    publisher: options.publisher,
    place: `zone file ${shown}`,
    zone,
    limits: noLimits,
    servers: options.servers,

    async read(names): Promise<TargetRead> {
      const loaded = await load()
      if (loaded.kind !== 'zone') return loaded
      const { version, isNew } = loaded
      return { kind: 'read', sets: setsOf(loaded, names), version, isNewZone: isNew, notes: notesOf(loaded, shown) }
    },

    async apply({ changes, version }: ChangeSet): Promise<TargetApplied> {
      const loaded = await load()
      if (loaded.kind !== 'zone') return loaded
      if (loaded.version !== version) return conflict(shown, setsOf(loaded, changes))
      const journal = await journalOf(path)
      if (journal !== undefined) return journal
      const edited = await edit(loaded, changes, options, deps)
      if (edited.kind === 'unchanged' && !loaded.isNew) return { kind: 'applied' }
      if (edited.kind === 'invalid' || edited.kind === 'refused') return editFailure(edited, shown)
      const bytes = edited.kind === 'edited' ? edited.bytes : loaded.bytes
      const written = await write(bytes, version, options, deps)
      if (written !== undefined) {
        return written.kind === 'conflict' ? conflict(shown, await nowOf(load, changes)) : written
      }
      const outcome: TargetApplied = deps.load
        ? await loadIt(deps, deps.load, `${shown} was written, and its server has not read it`)
        : { kind: 'applied', note: `${shown} was written; no "reload:" is set, so the server must read it by itself` }
      return withNote(outcome, edited.kind === 'edited' ? lostText(edited.lost) : undefined)
    },

    reload:
      deps.load && loadIt.bind(undefined, deps, deps.load, `${shown} is as declared, and its server has not read it`),

    close() {},
  }
}

const mostNotes = 5

/** What is right to the letter and nearly always a mistake. */
function notesOf({ zone }: ReadZone, shown: string): string[] {
  const told = zone.notes
    .slice(0, mostNotes)
    .map(({ line, column, message }) => `${shown}:${line}:${column}: ${message}`)
  const more = zone.notes.length - told.length
  return more > 0 ? [...told, `${shown} has ${more} more of these`] : told
}

const mostLost = 5

/** Comments that nobody would want back are few, and one that somebody would is worth a line. */
function lostText(lost: readonly LostComment[]): string | undefined {
  if (lost.length === 0) return undefined
  const shown = lost.slice(0, mostLost).map(({ line, text }) => `line ${line}: ${printable(text, 100)}`)
  const more = lost.length > mostLost ? `; and ${lost.length - mostLost} more` : ''
  return `comments went with the records that they stood beside (${shown.join('; ')}${more})`
}

function withNote(applied: TargetApplied, note: string | undefined): TargetApplied {
  if (note === undefined) return applied
  if (applied.kind === 'not-loaded') return { ...applied, why: `${applied.why}; ${note}` }
  if (applied.kind !== 'applied') return applied
  return { ...applied, note: applied.note === undefined ? note : `${applied.note}; ${note}` }
}

async function nowOf(load: () => Promise<ReadZone | TargetFailure>, changes: readonly SetChange[]) {
  const loaded = await load()
  return loaded.kind === 'zone' ? setsOf(loaded, changes) : undefined
}

const conflict = (shown: string, now: readonly RecordSet[] | undefined): TargetApplied => ({
  kind: 'conflict',
  why: `${shown} is not as it was when the plan was made`,
  now,
})

function setsOf({ zone, included }: ReadZone, names: readonly SetName[]): RecordSet[] {
  return collectSets([zone, ...included.map((file) => file.zone)].flatMap(recordsOf), names)
}

async function parse(bytes: Buffer, options: ZoneFileOptions, isNew: boolean): Promise<ReadZone | TargetFailure> {
  const { path, zone: origin } = options
  const parsed = parseZone(bytes, { origin, others: 'keep' })
  const shown = printable(path, 300)
  if (parsed.kind === 'invalid') return { kind: 'unusable', why: `${shown}${problemText(parsed.problems[0])}` }
  const include = parsed.zone.entries.find((entry) => entry.kind === 'include')
  if (include && !options.includes)
    return {
      kind: 'refused',
      why: `${shown}:${placeAt(parsed.zone.text, include.start).line}: $INCLUDE is not followed`,
      remedy:
        'Say includes: true under the publisher, if those who write this file may have others of its folder read.',
    }
  const includes = await readIncludes(parsed.zone, (included) => readIncluded(path, included))
  if (includes.kind === 'invalid')
    return { kind: 'unusable', why: `${printable(includes.file, 300)}${problemText(includes.problems[0])}` }
  if (includes.kind === 'unreadable')
    return { kind: 'unusable', why: `${shown} includes ${printable(includes.path, 300)}: ${includes.why}` }
  const version = isNew ? newVersion : hashOf(bytes, includes.included)
  return { kind: 'zone', bytes, zone: parsed.zone, included: includes.included, version, isNew }
}

/** Of a zone whose file is not there. */
const newVersion = 'none'

/** Of the file and of what it includes. */
function hashOf(bytes: Uint8Array, included: readonly IncludedFile[]): string {
  const hash = createHash('sha256').update(bytes)
  for (const { file, zone } of included) hash.update(`\0${file}\0`).update(zone.text, 'latin1')
  return hash.digest('base64url')
}

const problemText = (problem: { line: number; column: number; message: string } | undefined) =>
  problem ? `:${problem.line}:${problem.column}: ${problem.message}` : ' cannot be read'

/** BIND keeps what it was told by dynamic update in a journal, and writes the file anew from it. */
async function journalOf(path: string): Promise<TargetFailure | undefined> {
  const journal = `${path}.jnl`
  const found = await stat(journal).catch(() => undefined)
  if (!found) return undefined
  return {
    kind: 'refused',
    why: `${printable(journal, 300)} lies beside the file: the zone is changed by dynamic update, and what is written here would be lost`,
    remedy: 'Publish by dynamic update (type: rfc2136), or freeze the zone first (rndc freeze).',
  }
}

async function edit(
  loaded: ReadZone,
  changes: readonly SetChange[],
  { zone, servers }: ZoneFileOptions,
  deps: ZoneFileDeps,
): Promise<ZoneEdit> {
  const edits = changes.map(
    ({ name, code, after, before }): RrsetEdit => ({
      name,
      code,
      ttlSeconds: after?.ttlSeconds ?? before?.ttlSeconds ?? 0,
      data: after?.data ?? [],
    }),
  )
  const serials = await Promise.all(servers.map((server) => deps.liveSerial(server)))
  const live = serials.find((serial) => serial !== undefined)
  return editZone(loaded.bytes, edits, {
    zone,
    nowMs: deps.clock.now(),
    included: loaded.included,
    ...(live === undefined || loaded.isNew ? {} : { liveSerial: live }),
  })
}

function editFailure(edited: Extract<ZoneEdit, { kind: 'invalid' | 'refused' }>, shown: string): TargetFailure {
  if (edited.kind === 'invalid') return { kind: 'unusable', why: `${shown}${problemText(edited.problems[0])}` }
  const { why, place } = edited
  const where = place ? `${place.file === undefined ? shown : printable(place.file, 300)}:${place.line}` : shown
  return { kind: 'refused', why: `${where}: ${why}`, remedy: 'Nothing was changed.' }
}

async function write(
  bytes: Buffer,
  version: string,
  options: ZoneFileOptions,
  deps: ZoneFileDeps,
): Promise<TargetFailure | { readonly kind: 'conflict' } | undefined> {
  const { path, check, commandMs, zone } = options
  let isConflict = false
  const lastLook = async (draft: string) => {
    if (check) {
      const words = check.map((word) => word.replaceAll('{file}', draft).replaceAll('{zone}', nameText(zone)))
      const checked = await runCommand(words, commandMs, deps.clock)
      if (checked.kind === 'failed') return checked.why
    }
    // As late as can be: between this look and the rename lie microseconds.
    const now = await readZoneFile(path)
    const current = now.kind === 'read' ? await parse(now.bytes, options, false) : undefined
    const currentVersion = current === undefined ? newVersion : current.kind === 'zone' ? current.version : 'broken'
    isConflict = currentVersion !== version
    return isConflict ? 'changed' : undefined
  }
  const replaced = await replaceZoneFile({ path, bytes, lastLook, random: deps.random })
  if (replaced.kind === 'replaced') return undefined
  if (isConflict) return { kind: 'conflict' }
  if (replaced.kind === 'refused') return replaced
  return {
    kind: 'refused',
    why: `the changed zone was not accepted: ${replaced.why}`,
    remedy: 'The file is as it was. See what the checker says, or take "check:" away.',
  }
}

async function loadIt(
  { loadRemedy: remedy }: Pick<ZoneFileDeps, 'loadRemedy'>,
  load: () => Promise<CommandOutcome>,
  unread: string,
): Promise<TargetApplied> {
  const loaded = await load()
  if (loaded.kind === 'done') return { kind: 'applied' }
  return { kind: 'not-loaded', why: `${unread}: ${loaded.why}`, remedy }
}
