/**
 * A migration, kept in the state folder: one file a domain, replaced as a whole, so that a crash leaves the old or the new one. Read as carefully as
 * a stranger's, because people edit and disks fail. Called by `cli`.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../../base/atomic-file.ts'
import { errorCode } from '../../base/error-code.ts'
import { isIpv6, parseIp } from '../../base/ip.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { printable } from '../../base/printable.ts'
import { type HostName, parseName } from '../../dns/name.ts'
import { textKinds } from '../sets/text-kind.ts'
import { backStages, forwardStages, type Migration } from './migration.ts'

export type KeptMigration =
  | { readonly kind: 'migration'; readonly migration: Migration }
  | { readonly kind: 'none' }
  /** Something is there. To go on as if nothing were could take a domain's exchangers away. */
  | ({ readonly kind: 'unread' } & UnreadMigration)

/** A file that cannot be read, or is none: where the migration of this domain stands, nobody knows. */
export interface UnreadMigration {
  readonly domain: HostName
  /** With the file and what to do about it; printable. */
  readonly why: string
}

export interface KeptMigrations {
  readonly migrations: readonly Migration[]
  readonly unread: readonly UnreadMigration[]
}

const name = z.string().transform((text, context) => {
  const parsed = parseName(text)
  if (parsed.kind === 'name') return parsed.name
  context.addIssue({ code: 'custom', message: parsed.why })
  return z.NEVER
})
const seconds = z.number().int().min(0).max(0x7fff_ffff)
const moment = z.number().int().min(0)
const set = z.object({
  ttlSeconds: seconds,
  exchangers: z.array(z.object({ preference: z.number().int().min(0).max(65_535), host: name })).min(1),
})
const stage = z.enum([...forwardStages, ...backStages])
const address = z.string().transform((text, context) => {
  const parsed = parseIp(text)
  if (parsed !== undefined) return parsed
  context.addIssue({ code: 'custom', message: 'no IP address' })
  return z.NEVER
})
const addressSet = z
  .object({
    host: name,
    type: z.enum(['A', 'AAAA']),
    before: z.object({ ttlSeconds: seconds, addresses: z.array(address).min(1) }).optional(),
    addresses: z.array(address),
  })
  .refine(({ type, before, addresses }) =>
    [...addresses, ...(before?.addresses ?? [])].every((each) => isIpv6(each) === (type === 'AAAA')),
  )

/** What is written to DNS is read as strictly as what people declare. */
const spfText = z.string().refine((text) => textKinds.spf.whyInvalid(text) === undefined)

const format = z.object({
  format: z.literal(1),
  domain: name,
  to: z.string().max(1000),
  startedAtMs: moment,
  old: set,
  next: set,
  lowTtlSeconds: seconds,
  /** `cachedUntilMs`, by the name that files have had for it from the beginning. */
  heldUntilMs: moment.optional(),
  policy: z
    .object({
      mode: z.enum(['enforce', 'testing', 'none']),
      maxAgeSeconds: seconds,
      recordTtlSeconds: seconds,
      oldId: z.string().regex(/^[A-Za-z0-9]{1,32}$/),
      newId: z.string().regex(/^[A-Za-z0-9]{1,32}$/),
    })
    .optional(),
  spf: z.object({ ttlSeconds: seconds, oldText: spfText, jointText: spfText }).optional(),
  addresses: z.object({ sets: z.array(addressSet).min(1), cachedSeconds: seconds }).optional(),
  isBack: z.boolean(),
  seen: z.array(z.object({ stage, atMs: moment })).max(forwardStages.length + backStages.length),
})

const folderOf = (state: string) => join(state, 'migrations')
/** A domain has no characters that a path would mind. */
const pathOf = (state: string, domain: HostName) => join(folderOf(state), `${domain}.json`)

/**
 * Why it cannot be told which migrations there are, printable: the folder belongs to another user, say. To plan without them could undo what one of
 * them did. Undefined: it can be told.
 */
export async function whyClosed(state: string): Promise<string | undefined> {
  try {
    await readdir(folderOf(state))
    return undefined
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    const shown = printable(state, 300)
    if (code !== 'EACCES') return `the state folder ${shown} cannot be read (${code})`
    return `the state folder ${shown} belongs to another user, and says which domains are being migrated: run this as that user`
  }
}

export async function loadMigration(state: string, domain: HostName): Promise<KeptMigration> {
  const path = pathOf(state, domain)
  const unread = (what: string, remedy: string): KeptMigration => ({
    ...{ kind: 'unread', domain },
    why: `${printable(path, 300)} ${what}, and says where the migration of ${domain} stands: ${remedy}`,
  })
  const text = await readFile(path, 'utf8').catch((error: unknown) => ({ error }))
  if (typeof text !== 'string') {
    const code = errorCode(text.error)
    if (code === undefined) throw text.error
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'none' }
    return unread(`cannot be read (${code})`, code === 'EACCES' ? 'run this as the user whose it is' : 'look at it')
  }
  const parsed = format.safeParse(readJson(text))
  if (!parsed.success || parsed.data.domain !== domain) return unread('is damaged', 'look at it, or remove it')
  const { format: _, heldUntilMs: cachedUntilMs, policy, spf, addresses, ...rest } = parsed.data
  const found = addresses && { ...addresses, sets: addresses.sets.map((each) => ({ ...each, before: each.before })) }
  const more = { ...(spf && { spf }), ...(found && { addresses: found }) }
  return { kind: 'migration', migration: { ...rest, cachedUntilMs, policy, ...more } }
}

/** The domains that have a file, in order. Rejects with the system's error where the folder cannot be read. */
async function migratedDomains(state: string): Promise<HostName[]> {
  const files = await readdir(folderOf(state)).catch((error: unknown) => {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  })
  return files.toSorted().flatMap((file) => {
    const parsed = file.endsWith('.json') ? parseName(file.slice(0, -'.json'.length)) : undefined
    return parsed?.kind === 'name' ? [parsed.name] : []
  })
}

/** All of them. Rejects with the system's error where the folder cannot be read; see `whyClosed`. */
export async function loadMigrations(state: string): Promise<KeptMigrations> {
  const migrations: Migration[] = []
  const unread: UnreadMigration[] = []
  for (const domain of await migratedDomains(state)) {
    const kept = await loadMigration(state, domain)
    if (kept.kind === 'migration') migrations.push(kept.migration)
    if (kept.kind === 'unread') unread.push({ domain, why: kept.why })
  }
  return { migrations, unread }
}

/** Resolves when it is on stable storage. */
export async function saveMigration(state: string, migration: Migration): Promise<void> {
  await makeFolder(folderOf(state))
  const { cachedUntilMs: heldUntilMs, ...rest } = migration
  const kept = { format: 1, ...rest, heldUntilMs }
  await replaceFile(pathOf(state, migration.domain), `${JSON.stringify(kept, undefined, 2)}\n`)
}

export async function removeMigration(state: string, domain: HostName): Promise<void> {
  await rm(pathOf(state, domain), { force: true })
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
