/**
 * A hosted zone at Amazon Route 53, by its API of 2013-04-01 (https://docs.aws.amazon.com/Route53/latest/APIReference/, as of 2026-11). Made by
 * `create-target.ts`. Written from the documentation, and held against a stub of it: it has not been run against the real thing.
 *
 * A batch is done whole or not at all, and a DELETE must name values and TTL exactly: so DELETE of what was read with CREATE of what shall be is the
 * condition that nobody else was there. Values go back as they were read, letter for letter: the console stores names without the final dot.
 * Alias and weighted sets, and those of a traffic policy, are not ours to change.
 */
import { typeCodes } from '../../../dns/types.ts'
import { byKey, type RecordSet } from '../../sets/record-set.ts'
import { conflictOf, movedOf } from '../conflict.ts'
import { noLimits, type SetChange, type Target, type TargetApplied } from '../target.ts'
import type { ApiAnswer, ApiDeps } from './api-client.ts'
import { elementText } from './aws-xml.ts'
import { errorCode, failureOf, textOf } from './route53-answers.ts'
import { batchXml, type ReadSet } from './route53-records.ts'
import { createRoute53Zone, type Route53Options } from './route53-zone.ts'

/** What it keeps; of all that Waypost writes that is everything but DNAME and HINFO. */
const withoutTypes = [typeCodes.DNAME, typeCodes.HINFO, typeCodes.SOA]

export function createRoute53Target(options: Route53Options, deps: ApiDeps): Target {
  const { url, zone } = options
  const at = `Route 53 (${url.host})`
  const hosted = createRoute53Zone(options, at, deps)

  async function apply(changes: readonly SetChange[]): Promise<TargetApplied> {
    const read = await hosted.readSets(changes)
    if (read.kind !== 'sets') return read
    const before = read.sets.map(contentOf)
    const moved = movedOf(changes, before)
    if (moved.length > 0) return conflictOf(moved, before)
    const answer = await hosted.change(read.id, batchXml(changes, byKey(read.sets)))
    const said = textOf(answer)
    if (said === undefined) return await whyNotApplied(changes, answer)
    const changeId = /^\/change\/([A-Za-z0-9]{1,64})$/.exec(elementText(said, 'Id') ?? '')?.[1]
    const note = changeId === undefined ? 'Route 53 did not name the change' : await hosted.synced(changeId)
    return note === undefined ? { kind: 'applied' } : { kind: 'applied', note }
  }

  async function whyNotApplied(changes: readonly SetChange[], answer: ApiAnswer): Promise<TargetApplied> {
    const isUnknown = answer.kind === 'failed' ? answer.isSent : answer.status >= 500
    const failed = failureOf(answer, at, zone)
    if (isUnknown) return { kind: 'unknown', why: `${at} was sent the changes: ${failed.why}` }
    // A DELETE that names what is not there any more, or a CREATE of what is: the batch was the condition.
    if (errorCode(answer) !== 'InvalidChangeBatch') return failed
    const now = await hosted.readSets(changes)
    if (now.kind !== 'sets') return failed
    const after = now.sets.map(contentOf)
    const moved = movedOf(changes, after)
    return moved.length > 0 ? conflictOf(moved, after) : failed
  }

  return {
    publisher: options.publisher,
    place: at,
    zone,
    limits: { ...noLimits, withoutTypes },
    servers: options.servers,

    async read(names) {
      const read = await hosted.readSets(names)
      if (read.kind !== 'sets') return read
      return { kind: 'read', sets: read.sets.map(contentOf), version: '', isNewZone: false, notes: [] }
    },
    apply: ({ changes }) => apply(changes),
    close() {},
  }
}

const contentOf = ({ name, code, ttlSeconds, data }: ReadSet): RecordSet => ({ name, code, ttlSeconds, data })
