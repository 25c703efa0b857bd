/**
 * Which domains `waypost check` examines: the arguments, a file or standard input, or all that waypost.yaml declares; and what waypost.yaml
 * says of them. Called by `run.ts`.
 */

import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import { readInBackground } from '../../config/background.ts'
import { loadConfig } from '../../config/load.ts'
import { formatProblems } from '../../config/source.ts'
import { type HostName, rootName } from '../../dns/name.ts'
import type { NameServer } from '../../dns/servers.ts'
import { findConfig } from '../config-path.ts'
import { openLines } from '../input-lines.ts'
import type { Terminal } from '../terminal.ts'

/** What only the owner knows. */
export interface Declared {
  /** Each domain that is declared, with its exchangers where those are declared too: the root for a null MX. */
  readonly domains: ReadonlyMap<
    HostName,
    readonly { readonly host: HostName; readonly preference: number }[] | undefined
  >
  /** What the gateway calls itself; undefined where there is no configuration. */
  readonly hostname: HostName | undefined
  /** Its state folder; undefined where there is no configuration. */
  readonly state: string | undefined
  /** The name servers that it says are to be asked; none: those of this machine. */
  readonly resolvers: readonly NameServer[]
}

export interface DomainSource {
  /** As they are written. */
  readonly batches: AsyncIterable<readonly string[]>
  /** How many there are, where that is known before the end. */
  readonly total: number | undefined
  /** How far the list has been read, 0–1, where that is known. */
  fraction(): number | undefined
  close(): Promise<void>
}

const nothing: Declared = { domains: new Map(), hostname: undefined, state: undefined, resolvers: [] }

/**
 * @param isNeeded  whether there is nothing to examine without it
 * @returns undefined where it is needed or was named and is not in order: that has been said then
 */
export async function readDeclared(
  config: string | undefined,
  isNeeded: boolean,
  terminal: Terminal,
): Promise<Declared | undefined> {
  const found = findConfig(config)
  const isMeant = isNeeded || config !== undefined
  if (found.kind === 'none') {
    if (!isMeant) return nothing
    terminal.err(`waypost: no domain is named, and ${found.why}\n`)
    return undefined
  }
  if (!isMeant && !existsSync(found.path)) return nothing
  const loaded = await loadConfig(found.path, {
    clock: systemClock,
    machineName: hostname(),
    read: readInBackground,
  })
  if (loaded.kind === 'loaded') {
    const declared = loaded.settings.destinations.domains.filter(({ subdomains }) => !subdomains)
    const own = loaded.publishing.declarations.map(({ domain, exchangers }) => {
      return [domain, exchangers === 'none' ? [{ host: rootName, preference: 0 }] : exchangers] as const
    })
    const domains = new Map([...declared.map(({ name }) => [name, undefined] as const), ...own])
    const { hostname, state, resolver } = loaded.settings
    return { domains, hostname, state, resolvers: resolver.servers }
  }
  const problems = loaded.kind === 'invalid' ? formatProblems(loaded.problems) : ''
  if (isMeant) {
    terminal.err(`${problems}\n`)
    return undefined
  }
  terminal.err(`waypost: ${found.path} has mistakes, so nothing of it is used; "waypost config check" tells them.\n`)
  return nothing
}

/** @throws where the file cannot be opened */
export async function openDomains(
  names: readonly string[],
  input: string | undefined,
  declared: Declared,
): Promise<DomainSource> {
  if (input !== undefined) {
    const lines = await openLines(input, () => process.stdin)
    return { ...lines, total: undefined }
  }
  const all = names.length > 0 ? names : [...declared.domains.keys()]
  const batches = async function* () {
    yield all
  }
  return { batches: batches(), total: all.length, fraction: () => undefined, close: async () => {} }
}
