/**
 * The configuration, loaded: what `cli/serve/serve.ts` starts and reloads with, and what a library user calls.
 *   `loadConfig`   waypost.yaml → settings, or everything that is wrong with it
 *   `loadLastGood` the copy of the last good one → settings
 *   `commit`       once the gateway runs on them: the copy is kept, and domains that left are remembered
 * Reading happens beside the main thread where `read` is that of `background.ts`.
 */

import { resolve } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { nextTurn } from '../base/turn-end.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { declaredName } from '../routing/destinations.ts'
import type { WatchingSettings } from '../watch/settings.ts'
import type { WebSettings } from '../web/settings.ts'
import { assemble } from './assemble.ts'
import { createCopiedFiles, createDiskFiles } from './files.ts'
import type { WrittenPlace } from './listen.ts'
import {
  type Plan,
  type PlannedCertificates,
  type PlannedDomain,
  type PlannedPublishing,
  type Summary,
  summarize,
} from './plan.ts'
import { type ReadConfig, readConfig } from './read.ts'
import { type Problem, problemOfFile } from './source.ts'
import {
  departedAfter,
  dropsTooMany,
  encodeLastGood,
  leftRecently,
  loadDeparted,
  readLastGood,
  saveDeparted,
  saveLastGood,
} from './state-files.ts'

export interface LoadDeps {
  readonly clock: Clock
  /** The name of this machine, as `os.hostname()` says it. */
  readonly machineName: string
  /** Reads and checks the files. Default: on this thread, at once. */
  readonly read?: ReadInPieces
  /** The names that are declared now, where this is a reload: too many that go are refused. */
  readonly reloadOf?: LoadedNames
  /** A reload may drop as many domains as it likes. */
  readonly allowRemoval?: boolean
}

/** What is published, and where. */
export interface Publishing extends PlannedPublishing {
  readonly declarations: readonly Declaration[]
}

export type LoadedNames = ReadonlySet<string>

/** A waypost.yaml that is right, as the settings of each part. */
export interface Loaded {
  readonly kind: 'loaded'
  readonly settings: GatewaySettings
  readonly publishing: Publishing
  readonly watching: WatchingSettings
  readonly web: WebSettings
  readonly summary: Summary
  readonly listeners: readonly WrittenPlace[]
  readonly certificates: PlannedCertificates
  /** What the file says beside `domains:` and `routes:`, as it is written. */
  readonly said: Readonly<Record<string, unknown>>
  /** Where the file says `state:`; undefined where it does not. */
  readonly stateWritten: Omit<Problem, 'message'> | undefined
  /** Where it says `log:`, or `file:` in it. */
  readonly logFileWritten: Omit<Problem, 'message'> | undefined
  /** The declared names, `example.com` and `*.example.com`. */
  readonly names: LoadedNames
  /** Keeps the copy for `--last-good` and remembers who left. Call it when the gateway runs on `settings`. */
  commit(): Promise<void>
}

/** What came of reading a waypost.yaml: settings, or all that is wrong with it, each with its place. */
export type LoadedConfig =
  | Loaded
  /** `state`: the state folder that the file names, as far as it could be read. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly state?: string | undefined }
  /** A reload would drop more than 10 domains and more than 1 % of them. */
  | { readonly kind: 'too-many-removed'; readonly removed: readonly string[]; readonly before: number }

/** What reading brings: the plan without its domains, and these piece by piece. */
export type ReadInPieces = (path: string, machineName: string) => Promise<ReadPieces>

export type ReadPieces = Pieces<AsyncIterable<readonly PlannedDomain[]> | Iterable<readonly PlannedDomain[]>>

type Pieces<Domains> =
  | {
      readonly kind: 'read'
      readonly plan: Omit<Plan, 'domains'>
      readonly domains: Domains
      readonly summary: Summary
      /** The copy of all files, as `encodeLastGood` writes it. */
      readonly copy: Uint8Array<ArrayBuffer>
    }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly state?: string | undefined }

/** Thrown by a `ReadInPieces` that came to no end: by no fault of ours that is known, so who asked is told. `message` goes on from the file's path. */
export class ReadingEnded extends Error {
  readonly code = 'WAYPOST_READING_ENDED'
}

/** @param path  of waypost.yaml */
export async function loadConfig(path: string, deps: LoadDeps): Promise<LoadedConfig> {
  const file = resolve(path)
  const read = deps.read ?? ((main, machineName) => readInPieces(main, machineName, deps.clock.now()))
  try {
    return await finish(await read(file, deps.machineName), deps)
  } catch (error) {
    if (!(error instanceof ReadingEnded)) throw error
    return { kind: 'invalid', problems: [problemOfFile(file, error.message)] }
  }
}

/** The last good configuration, from its copy in the state folder. @param state  absolute */
export async function loadLastGood(state: string, deps: LoadDeps): Promise<LoadedConfig> {
  const copy = await readLastGood(state)
  if (!copy) return { kind: 'invalid', problems: [problemOfFile(state, 'holds no last good configuration')] }
  const result = await readConfig(copy.main, {
    files: createCopiedFiles(copy.files),
    machineName: deps.machineName,
    nowMs: deps.clock.now(),
  })
  if (result.kind === 'invalid') return result
  return finish(inPieces(result, encodeLastGood(copy)), deps)
}

/** Reads on this thread. @param nowMs  what certificates are judged by; goes into the copy */
export async function readInPieces(
  path: string,
  machineName: string,
  nowMs: number,
): Promise<Pieces<readonly (readonly PlannedDomain[])[]>> {
  const files = createDiskFiles()
  const result = await readConfig(path, { files, machineName, nowMs })
  if (result.kind === 'invalid') return result
  const domains = result.plan.domains.filter(({ mail }) => mail).map(declaredName)
  const copy = encodeLastGood({ savedAtMs: nowMs, main: path, files: files.copies, domains })
  return inPieces(result, copy)
}

function inPieces({ plan, files, remarks }: Extract<ReadConfig, { kind: 'read' }>, copy: Uint8Array<ArrayBuffer>) {
  const { domains, ...rest } = plan
  return { kind: 'read', plan: rest, domains: [domains], summary: summarize(plan, files, remarks), copy } as const
}

async function finish(read: ReadPieces, deps: LoadDeps): Promise<LoadedConfig> {
  if (read.kind === 'invalid') return read
  const { state } = read.plan.general
  const nowMs = deps.clock.now()
  const known = await loadDeparted(state)
  const before = deps.reloadOf ?? (await readLastGood(state))?.domains ?? []

  // Who left is asked at look-ups, thus behind a name that is filled in when all domains are here.
  let departed = known
  const { settings, declarations } = await assemble(read.plan, read.domains, {
    leftRecently: (domain) => leftRecently(departed, deps.clock)(domain),
    pause: nextTurn,
  })
  const names = new Set(settings.destinations.domains.map(declaredName))
  if (deps.reloadOf && !deps.allowRemoval) {
    const removed = [...deps.reloadOf].filter((name) => !names.has(name))
    if (dropsTooMany(removed.length, deps.reloadOf.size))
      return { kind: 'too-many-removed', removed, before: deps.reloadOf.size }
  }
  departed = departedAfter(known, before, names, nowMs)
  return {
    kind: 'loaded',
    settings,
    publishing: { ...read.plan.publishing, declarations },
    watching: read.plan.watching,
    web: read.plan.web,
    summary: read.summary,
    listeners: read.plan.listeners,
    certificates: read.plan.certificates,
    said: read.plan.said,
    stateWritten: read.plan.stateWritten,
    logFileWritten: read.plan.logFileWritten,
    names,
    async commit() {
      // In this order: a crash between the two leaves names that left to be found by comparing with the copy again.
      if (departed.size > 0 || known.size > 0) await saveDeparted(state, departed)
      await saveLastGood(state, read.copy)
    },
  }
}
