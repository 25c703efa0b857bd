/**
 * From the name and type of a question to its prepared answer: the closest name that is served, and what it has (RFC 1034 §4.3.2, RFC 4592). An answer
 * is made when it is first asked for, or ahead of that, and kept with the entry that it is of. Used by `zones.ts` for every question.
 */
import { metaTypeCodes, typeCodes } from '../types.ts'
import type { HashedName, NameTable } from './name-table.ts'
import {
  prepareAnswer,
  prepareAny,
  prepareNegative,
  prepareReferral,
  stampOf,
  typesBehindAlias,
  type World,
} from './prepare.ts'
import type { Prepared } from './prepared.ts'
import type { Entry, MoreAnswers, RecordSet, Zone } from './zone.ts'

export interface AnswerFinder {
  /** Undefined where no zone has the name. @param name  read by `NameTable.hash` */
  find(bytes: Uint8Array, name: HashedName, type: number): Prepared | undefined
  /** Makes what has an answer of its own. Of a zone that was replaced meanwhile this is made in vain, and let go with it. */
  prepareAll(zone: Zone): void
}

export function createAnswerFinder(table: NameTable<Entry>, world: World): AnswerFinder {
  function find(bytes: Uint8Array, name: HashedName, type: number): Prepared | undefined {
    const entry = table.find(bytes, name, 0)
    if (entry) {
      if (type === typeCodes.DS) return answerAt(entry.parentSide ?? entry, type)
      return entry.isCut ? referral(entry) : answerAt(entry, type)
    }
    for (let label = 1; label < name.labels; label++) {
      const above = table.find(bytes, name, label)
      if (!above) continue
      if (above.isCut) return referral(above)
      // RFC 4592 §3.3.1: the closest name that exists, and nothing above it.
      return above.wildcard ? answerAt(above.wildcard, type) : negative(above.zone, 'no-such-name')
    }
    return undefined
  }

  function answerAt(entry: Entry, type: number): Prepared {
    const { sets } = entry
    for (let index = 0; index < sets.length; index++) {
      const set = sets[index] as RecordSet
      if (set.type !== type) continue
      if (!isCurrent(set.prepared)) set.prepared = prepareAnswer(entry, type, world)
      return set.prepared
    }
    const { alias } = entry
    if (type === metaTypeCodes.ANY && sets.length > 0) {
      if (alias) return answerAt(entry, typeCodes.CNAME)
      const more = moreOf(entry)
      more.any ??= prepareAny(entry, world)
      return more.any
    }
    return alias && type !== metaTypeCodes.ANY ? answerBehindAlias(entry, type) : negative(entry.zone, 'no-data')
  }

  function answerBehindAlias(entry: Entry, type: number): Prepared {
    const more = moreOf(entry)
    more.typesBehindAlias ??= typesBehindAlias(entry)
    if (!more.typesBehindAlias.has(type)) {
      if (!isCurrent(more.negativeBehindAlias)) more.negativeBehindAlias = prepareAnswer(entry, type, world)
      return more.negativeBehindAlias
    }
    more.behindAlias ??= new Map()
    let prepared = more.behindAlias.get(type)
    if (!isCurrent(prepared)) {
      prepared = prepareAnswer(entry, type, world)
      more.behindAlias.set(type, prepared)
    }
    return prepared
  }

  function referral(cut: Entry): Prepared {
    const more = moreOf(cut)
    if (!isCurrent(more.referral)) more.referral = prepareReferral(cut, world)
    return more.referral
  }

  function negative(zone: Zone, kind: 'no-data' | 'no-such-name'): Prepared {
    const key = kind === 'no-data' ? 'noData' : 'nxDomain'
    zone.negative[key] ??= prepareNegative(zone, kind, world)
    return zone.negative[key]
  }

  return {
    find,
    prepareAll(zone) {
      for (const entry of zone.entries.values()) {
        if (entry.isCut) referral(entry)
        else for (const { type } of entry.sets) answerAt(entry, type)
      }
    },
  }
}

function moreOf(entry: Entry): MoreAnswers {
  entry.more ??= {}
  return entry.more
}

/** Whether it was made with the addresses that its hosts have now. */
function isCurrent(prepared: Prepared | undefined): prepared is Prepared {
  return prepared !== undefined && (prepared.hosts.length === 0 || prepared.stamp === stampOf(prepared.hosts))
}
