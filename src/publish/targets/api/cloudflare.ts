/**
 * A zone at Cloudflare, by its API v4 (https://developers.cloudflare.com/api/resources/dns/, as of 2026-11). Made by `create-target.ts`. Written from
 * the documentation, and held against a stub of it: it has not been run against the real thing.
 *
 * A record is the unit there, with an id; a batch is one transaction of the database (deletes, then patches, then posts) and has no condition. So
 * the sets are read again right before, and a change of another hand is lost only if it falls into the moment between the two. Records that
 * stay are not touched: they keep id, comment and proxying. What Cloudflare put there itself (`meta.read_only`) cannot be changed by anybody.
 */
import { z } from 'zod'
import { typeCodes } from '../../../dns/types.ts'
import { nameText, type WireName } from '../../../dns/wire-name.ts'
import { apiUrlText } from '../../api-url.ts'
import { byKey, setKey, setText } from '../../sets/record-set.ts'
import { conflictOf, movedOf } from '../conflict.ts'
import { noLimits, type SetChange, type Target, type TargetApplied } from '../target.ts'
import type { ApiAnswer, ApiDeps } from './api-client.ts'
import { failureOf, readResult } from './cloudflare-answers.ts'
import { batchesOf, contentOf } from './cloudflare-records.ts'
import { type CloudflareOptions, createCloudflareZone } from './cloudflare-zone.ts'

/** Whose content is one text; the others are written in fields of their own. */
const plainTypes: ReadonlySet<number> = new Set([
  typeCodes.A,
  typeCodes.AAAA,
  typeCodes.MX,
  typeCodes.TXT,
  typeCodes.CNAME,
])

export function createCloudflareTarget(options: CloudflareOptions, deps: ApiDeps): Target {
  const { url, zone } = options
  const at = `Cloudflare (${apiUrlText(url)})`
  const hosted = createCloudflareZone(options, at, deps)

  async function apply(changes: readonly SetChange[]): Promise<TargetApplied> {
    const read = await hosted.readSets(changes)
    if (read.kind !== 'sets') return read
    const now = read.sets.map(contentOf)
    const moved = movedOf(changes, now)
    if (moved.length > 0) return conflictOf(moved, now)
    const known = byKey(read.sets)
    const locked = changes.find((change) => known.get(setKey(change))?.records.some(({ isReadOnly }) => isReadOnly))
    if (locked)
      return {
        kind: 'refused',
        why: `${setText(locked)} is kept by Cloudflare itself`,
        remedy: 'Switch Email Routing off for this domain first.',
      }
    const done: SetChange[] = []
    for (const batch of batchesOf(changes, known)) {
      const answer = await hosted.change(read.id, batch)
      if (readResult(answer, z.object({ success: z.literal(true) }))) done.push(...batch.changes)
      else return stopped(answer, batch.changes, done, at, zone)
    }
    return { kind: 'applied' }
  }

  return {
    publisher: options.publisher,
    place: at,
    zone,
    limits: {
      ...noLimits,
      leastTtlSeconds: 60,
      mostTtlSeconds: 86_400,
      withoutTypes: Object.values(typeCodes).filter((code) => !plainTypes.has(code)),
      atomic: 'set',
    },
    servers: options.servers,

    async read(names) {
      const read = await hosted.readSets(names)
      if (read.kind !== 'sets') return read
      const notes = read.sets.flatMap((set) =>
        set.records.some(({ isReadOnly }) => isReadOnly)
          ? [`${setText(set)} is kept by Cloudflare itself (Email Routing, perhaps), and nobody else can change it`]
          : [],
      )
      if (hosted.mayOnlyRead)
        notes.unshift(`the token may read the records of ${nameText(zone)} and not change them: it lacks "DNS: Edit"`)
      return { kind: 'read', sets: read.sets.map(contentOf), version: '', isNewZone: false, notes }
    },

    apply: ({ changes }) => apply(changes),
    close() {},
  }
}

function stopped(
  answer: ApiAnswer,
  changes: readonly SetChange[],
  done: readonly SetChange[],
  at: string,
  zone: WireName,
): TargetApplied {
  const isUnknown = answer.kind === 'failed' ? answer.isSent : answer.status >= 500
  const failed = failureOf(answer, at, zone)
  if (done.length > 0) return { kind: 'partly', done, unknown: isUnknown ? changes : [], why: failed.why }
  return isUnknown ? { kind: 'unknown', why: `${at} was sent the changes: ${failed.why}` } : failed
}
