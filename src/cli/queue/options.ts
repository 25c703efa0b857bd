/** The filters of `waypost queue`, as options and as what they mean; and ids, which may be abbreviated. A mistake is a sentence for people. */
import { type Command, Option } from 'commander'
import { z } from 'zod'
import { printable } from '../../base/printable.ts'
import type { AskedFilter } from '../../gateway/operate/queue-shapes.ts'
import { type RecipientState, recipientStates } from '../../queue/queue.ts'
import type { Terminal } from '../terminal.ts'
import type { QueueAccess } from './access.ts'

/** As `commander` hands them over. */
export interface FilterWords {
  readonly domain?: string
  readonly sender?: string
  readonly recipient?: string
  readonly state?: readonly string[]
  readonly olderThan?: string
  readonly newerThan?: string
}

export const withFilters = (command: Command): Command =>
  command
    .option('--domain <domain>', 'of a recipient')
    .option('--sender <address>', 'an address, "@domain" for all of a domain, "<>" for notifications')
    .option('--recipient <address>', 'an address, or "@domain"')
    .addOption(new Option('--state <states...>', 'of a recipient').choices(recipientStates))
    .option('--older-than <time>', 'held for longer: 30s, 15m, 12h, 7d')
    .option('--newer-than <time>', 'held for less')

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @returns the filter, or in words what is wrong */
export function filterOf(words: FilterWords, nowMs: number): AskedFilter | string {
  const [before, after] = [momentOf(words.olderThan, nowMs), momentOf(words.newerThan, nowMs)]
  if (before === 'wrong' || after === 'wrong')
    return `"${printable((before === 'wrong' ? words.olderThan : words.newerThan) ?? '', 100)}" is no length of time; write 30s, 15m, 12h or 7d`
  return {
    ...(words.domain === undefined ? {} : { domain: words.domain }),
    ...(words.sender === undefined ? {} : { sender: words.sender === '<>' ? '' : words.sender }),
    ...(words.recipient === undefined ? {} : { recipient: words.recipient }),
    ...(words.state === undefined ? {} : { states: words.state as RecipientState[] }),
    ...(before === undefined ? {} : { receivedBeforeMs: before }),
    ...(after === undefined ? {} : { receivedAfterMs: after }),
  }
}

function momentOf(text: string | undefined, nowMs: number): number | 'wrong' | undefined {
  if (text === undefined) return undefined
  const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  return number === undefined ? 'wrong' : nowMs - Number(number) * (unitsMs[unit ?? ''] ?? 0)
}

export const isEmptyFilter = (filter: AskedFilter): boolean => Object.keys(filter).length === 0

const idLength = 26
/** That a person may name at once. */
export const mostIds = 1000

export type FoundIds =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** One of them means nothing, or more than one message. Said already. */
  | { readonly kind: 'not-one' }
  /** Nobody could be asked. Said already. */
  | { readonly kind: 'could-not' }

/** Abbreviations become whole ids. */
export async function findIds(words: readonly string[], access: QueueAccess, terminal: Terminal): Promise<FoundIds> {
  const ids: string[] = []
  for (const word of words) {
    const found = await access.ask('queue.find', { prefix: word.slice(0, 64) }, z.array(z.string()))
    if (!found) return { kind: 'could-not' }
    const [only, ...others] = found
    if (only === undefined) {
      terminal.err(`waypost: nothing is held whose id begins with "${printable(word, 64)}"\n`)
      return { kind: 'not-one' }
    }
    if (others.length > 0 && word.length < idLength) {
      const some = found.slice(0, 5).map((id) => `  ${printable(id)}\n`)
      terminal.err(
        `waypost: several messages have ids that begin with "${printable(word, 64)}", among them\n${some.join('')}`,
      )
      return { kind: 'not-one' }
    }
    ids.push(only)
  }
  return { kind: 'ids', ids }
}
