/**
 * What DNS says of a zone, where nobody said in which place it is kept: it can be compared with, and not changed. Made by `examine.ts` for domains
 * without `publish:`.
 */
import type { Resolver } from '../../dns/resolver.ts'
import { type RecordType, typeCodes, typeName } from '../../dns/types.ts'
import { sameName, type WireName } from '../../dns/wire-name.ts'
import { distinct, type RecordSet, setText } from '../sets/record-set.ts'
import { noLimits, type Target } from './target.ts'

export function createDnsReader(zone: WireName, resolver: Resolver): Target {
  return {
    publisher: '',
    place: 'what DNS says',
    zone,
    limits: noLimits,
    servers: [],

    async read(names) {
      const sets: RecordSet[] = []
      for (const set of names) {
        const type = typeName(set.code)
        if (!isKnown(type))
          return { kind: 'unusable', why: `${setText(set)} cannot be asked for by a resolver here`, remedy: sayWhere }
        const answer = await resolver.resolve(set.name, type)
        if (answer.kind === 'failed')
          return {
            kind: 'unreachable',
            why: `DNS does not say what ${setText(set)} is: ${answer.why}`,
            remedy: 'Look at the resolver that is asked.',
          }
        // A set behind an alias is that of another name.
        if (answer.kind !== 'answer' || !sameName(answer.canonicalName, set.name)) continue
        const ttlSeconds = Math.max(...answer.records.map((record) => record.ttlSeconds))
        sets.push({ ...set, ttlSeconds, data: distinct(answer.records.map((record) => record.data)) })
      }
      return {
        kind: 'read',
        sets,
        version: '',
        isNewZone: false,
        notes: ['"publish:" is not set: this is what a resolver says, whose TTLs count down, and it cannot be applied'],
      }
    },

    async apply() {
      return { kind: 'refused', why: 'nobody said where this zone is kept', remedy: sayWhere }
    },

    close() {},
  }
}

const sayWhere =
  'Say "publish:" with a name under "publishers:", or take the records elsewhere with waypost plan --export.'

const isKnown = (type: string): type is RecordType => Object.hasOwn(typeCodes, type)
