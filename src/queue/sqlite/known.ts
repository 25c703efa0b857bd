/**
 * What is known of recipients, on the embedded store: fulfils `../known-recipients.ts`. Tellings are gathered for half a second and written as one;
 * those that were told a short while ago cost a look into a set.
 */
import { createHmac } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, Deadline } from '../../base/clock.ts'
import { networkKey } from '../../base/ip.ts'
import { createRateCounter } from '../../base/limits.ts'
import type { Random } from '../../base/random.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import type { Recipient } from '../../mail/message.ts'
import { asFailure, StoreFailure } from '../../store/failure.ts'
import type { Store } from '../../store/store.ts'
import type { KnownRecipients } from '../known-recipients.ts'
import type { Lane } from '../queue.ts'
import { type KnownKind, type KnownLimits, type KnownOperations, type KnownRow, kinds } from './known-tables.ts'

/** For `openStore`. */
export const knownModule = new URL(`./known-tables${import.meta.url.slice(-3)}`, import.meta.url)

export interface KnownDeps {
  readonly clock: Clock
  readonly random: Random
  /** Of numbers; for tests. */
  readonly limits?: KnownLimits
}

const dayMs = 86_400_000
const goodMs = 31 * dayMs
const badMs = 3 * dayMs
/** What was told within this while need not be told again: it only moves an end that is days away. */
const freshMs = dayMs / 4
const gatherMs = 500
const mostFresh = 50_000
/** Tellings that wait while the store cannot be written; further ones are forgotten, and told again by the next message. */
const mostPending = 20_000
const mostText = 500
const standardLimits: KnownLimits = {
  [kinds.delivered]: { ofDomain: 10_000, inAll: 1_000_000 },
  [kinds.accepted]: { ofDomain: 1_000, inAll: 100_000 },
  [kinds.refused]: { ofDomain: 10_000, inAll: 100_000 },
}
/** Recipients that one network teaches within an hour without a message for them. */
const mostAcceptedOfNetwork = 100
const keyOctets = 16
/** Stands for the address and the local part in the words of a backend that are kept. */
const addressMark = '\x01'
const localPartMark = '\x02'

/** Throws a `StoreFailure` where the secret can be neither read nor made. */
export async function openKnownRecipients(
  store: Store,
  deps: KnownDeps,
): Promise<KnownRecipients & { close(): Promise<void> }> {
  const { clock, limits = standardLimits } = deps
  const room = store.room<KnownOperations>('known')
  const secret = await readSecret(join(store.folder, 'recipients.key'), deps.random)
  /** What was told last; the oldest stand first. */
  const fresh = new Map<string, Told>()
  /** The names in `fresh`, by the key of the row. */
  const freshNames = new Map<string, string>()
  const acceptedOfNetwork = createRateCounter(clock, 3_600_000, 10_000)
  let pending = new Map<string, KnownRow>()
  let writing: ReadonlyMap<string, KnownRow> = new Map()
  let flushing: Promise<void> | undefined
  const due = new Deadline(clock, () => void flush().catch(() => undefined))

  const hash = (kind: 'good' | 'bad' | 'domain', ...of: string[]) =>
    createHmac('sha256', secret)
      .update([kind, ...of].join('\0'))
      .digest()
      .subarray(0, keyOctets)
  const goodKey = (recipient: Recipient) => hash('good', recipient.text)
  const badKey = (recipient: Recipient, lane: Lane) => hash('bad', lane, recipient.text)

  function isFresh(name: string, kind: KnownKind): boolean {
    const told = fresh.get(name)
    if (!told || (told.kind !== kind && kind === kinds.delivered)) return false
    const agoMs = clock.now() - told.atMs
    // A clock that went back makes everything stale, which is harmless.
    return agoMs >= 0 && agoMs < freshMs
  }

  function noteFresh(name: string, key: string, kind: KnownKind): void {
    fresh.delete(name)
    fresh.set(name, { atMs: clock.now(), kind, key })
    freshNames.set(key, name)
    const [oldest] = fresh
    if (fresh.size > mostFresh && oldest) forgetFresh(oldest[1].key)
  }

  function forgetFresh(key: string): void {
    const name = freshNames.get(key)
    if (name === undefined) return
    freshNames.delete(key)
    fresh.delete(name)
  }

  /** @param name  what it is called in `fresh` */
  function tell(
    name: string,
    key: Buffer,
    recipient: Recipient,
    kind: KnownKind,
    code: number | null = null,
    text: string | null = null,
  ): void {
    if (pending.size >= mostPending) return
    const keyText = key.toString('latin1')
    noteFresh(name, keyText, kind)
    // The better one of two that are written together.
    if (kind === kinds.accepted && pending.get(keyText)?.[2] === kinds.delivered) return
    pending.set(keyText, [key, hash('domain', recipient.domain ?? ''), kind, clock.now(), code, text])
    if (pending.size === 1) due.arm(gatherMs)
  }

  async function flush(): Promise<void> {
    // One at a time, so that what is told twice ends as it was told last.
    while (flushing) await flushing
    if (pending.size === 0) return
    flushing = write().finally(() => {
      flushing = undefined
    })
    await flushing
  }

  async function write(): Promise<void> {
    const batch = pending
    pending = new Map()
    writing = batch
    due.disarm()
    try {
      const nowMs = clock.now()
      const trimmed = await room.write('learn', {
        rows: [...batch.values()],
        limits,
        goodSinceMs: nowMs - goodMs,
        badSinceMs: nowMs - badMs,
      })
      // What has made room for others can be learnt again.
      for (const key of trimmed) forgetFresh(Buffer.from(key).toString('latin1'))
    } catch (error) {
      // Kept for the next time, behind what was told meanwhile.
      pending = new Map([...batch, ...pending])
      if (store.state.kind !== 'closed') due.arm(longPauseMs)
      throw error
    } finally {
      writing = new Map()
    }
  }

  async function find(key: Buffer, forMs: number): Promise<{ code: number | null; text: string | null } | undefined> {
    const name = key.toString('latin1')
    const told = pending.get(name) ?? writing.get(name)
    if (told) return { code: told[4], text: told[5] }
    const found = await room.read('find', key)
    return found && clock.now() - found.toldMs < forMs ? found : undefined
  }

  return {
    delivered(recipient) {
      const name = recipient.text
      if (!isFresh(name, kinds.delivered)) tell(name, goodKey(recipient), recipient, kinds.delivered)
    },
    accepted(recipient, client) {
      const name = recipient.text
      if (isFresh(name, kinds.accepted)) return
      const network = networkKey(client)
      if (acceptedOfNetwork.recent(network) >= mostAcceptedOfNetwork) return
      acceptedOfNetwork.count(network)
      tell(name, goodKey(recipient), recipient, kinds.accepted)
    },
    refused(recipient, lane, { code, text }) {
      const name = `${lane}\0${recipient.text}`
      if (isFresh(name, kinds.refused)) return
      tell(name, badKey(recipient, lane), recipient, kinds.refused, code, withoutName(text, recipient))
    },
    async ask(recipient, lane) {
      if (await find(goodKey(recipient), goodMs)) return { kind: 'accepted' }
      const bad = await find(badKey(recipient, lane), badMs)
      if (bad?.code == null) return { kind: 'unknown' }
      return { kind: 'refused', code: bad.code, text: withName(bad.text ?? '', recipient) }
    },
    flush,
    async close() {
      due.end()
      await flush().catch((error: unknown) => {
        if (!(error instanceof StoreFailure)) throw error
      })
      due.end()
    },
  }
}

const longPauseMs = 5000

interface Told {
  readonly atMs: number
  readonly kind: KnownKind
  /** Of its row. */
  readonly key: string
}

/** Backends repeat the address in their replies; it is kept out of the rows, and put back when it is asked for again. */
function withoutName(text: string, { text: address, localPart }: Recipient): string {
  const clean = text.slice(0, mostText).replaceAll(addressMark, '').replaceAll(localPartMark, '')
  return replaceEach(replaceEach(clean, address, addressMark), localPart, localPartMark)
}

function withName(text: string, { text: address, localPart }: Recipient): string {
  return text.replaceAll(addressMark, () => address).replaceAll(localPartMark, () => localPart)
}

/** In any case of letters. */
function replaceEach(text: string, what: string, by: string): string {
  if (what === '') return text
  const lower = text.toLowerCase()
  const wanted = what.toLowerCase()
  // A letter whose lower case is longer would move the places; replies are ASCII nearly always.
  if (lower.length !== text.length) return text
  let result = ''
  let at = 0
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    result += text.slice(at, found) + by
    at = found + wanted.length
  }
  return result + text.slice(at)
}

const secretOctets = 32

/** The secret of this installation, made at the first start. Without it what was learnt is noise, so a damaged one is made anew by hand. */
async function readSecret(path: string, random: Random): Promise<Buffer> {
  try {
    const found = await readFile(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (found === undefined) return await makeSecret(path, random)
    if (found.length === secretOctets) return found
  } catch (error) {
    throw asFailure(error) ?? error
  }
  throw new StoreFailure(
    'corrupt',
    `${path} does not hold ${secretOctets} octets; remove it, and what is known of recipients is learnt anew`,
  )
}

async function makeSecret(path: string, random: Random): Promise<Buffer> {
  const secret = random.bytes(secretOctets)
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(secret)
    await file.sync()
  } finally {
    await file.close()
  }
  // Whole or not at all, and never over one that is there.
  await link(draft, path)
  await rm(draft, { force: true })
  await syncFolder(join(path, '..'))
  return secret
}
