/** What the demo consists of, as its parts see each other: `cli/demo/run.ts` puts it together, `story` changes it, `observer` and the view look at it. */
import type { HealthState } from '../routing/health.ts'
import type { Ledger } from './ledger.ts'
import type { Mailbox } from './mailbox.ts'

export interface World {
  /** Three of them. */
  readonly mailboxes: readonly Mailbox[]
  readonly ledger: Ledger
  readonly perSecond: number
  readonly domain: string
  /** What the gateway says now. */
  look(): Sight
}

export interface Sight {
  /** Messages that it holds. */
  readonly held: number
  /** What it thinks of each backend, in the order of the mailboxes. */
  readonly states: readonly HealthState[]
}

/** `story`: something is done to a backend; `gateway`: what the gateway makes of it; `you`: a key was pressed; `sum`: counts. */
export type Teller = 'story' | 'gateway' | 'you' | 'sum'

/** One sentence of what happens, for people. */
export type Tell = (by: Teller, text: string) => void

/** `1`, `1 and 3`, `1, 2 and 3`. */
export function listText(numbers: readonly number[]): string {
  const last = numbers.at(-1)
  if (numbers.length < 2 || last === undefined) return numbers.join('')
  return `${numbers.slice(0, -1).join(', ')} and ${last}`
}

export const countText = (count: number, what: string): string =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
