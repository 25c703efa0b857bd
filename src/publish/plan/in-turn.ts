/**
 * What may be read at once of publishers, and what one after the other; who does not answer is asked once. Used for the zones of a plan and for the
 * steps of migrations.
 */
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { PublisherOptions } from '../options.ts'
import type { TargetFailure } from '../targets/target.ts'

/** What came of one item. */
interface Outcome {
  readonly kind: string
  readonly failure?: TargetFailure
}

export interface InTurn<Item, Out extends Outcome> {
  /** Undefined: what is compared with DNS, as everybody sees it. */
  readonly publisherOf: (item: Item) => string | undefined
  readonly publishers: Readonly<Record<string, PublisherOptions>>
  /** Groups at once, at least 1. */
  readonly atOnce: number
  readonly read: (item: Item) => Promise<Out>
  /** Of an item that is not read, because its publisher did not answer for one before. */
  readonly failed: (item: Item, failure: TargetFailure) => Out
  /** Lets go of what was read, where another item threw. */
  readonly close: (out: Out) => void
  /** How many are done, after each. */
  readonly onDone?: (done: number) => void
}

/** `read` for each item; what comes back stands in their order. Rejects with what the first threw, with all that was read closed. */
export async function readInTurn<Item, Out extends Outcome>(
  items: readonly Item[],
  { publisherOf, publishers, atOnce, read, failed, close, onDone }: InTurn<Item, Out>,
): Promise<Out[]> {
  const done = new Map<Item, Out>()
  let isOver = false
  const readGroup = async (group: readonly Item[]) => {
    let silent: TargetFailure | undefined
    for (const item of group) {
      if (isOver) return
      const out = silent ? failed(item, notAskedAgain(silent)) : await read(item)
      if (out.failure?.kind === 'unreachable') silent ??= out.failure
      done.set(item, out)
      onDone?.(done.size)
    }
  }
  try {
    await mapAtOnce(groupsInTurn(items, publisherOf, publishers), atOnce, (group) =>
      readGroup(group).catch((error: unknown) => {
        isOver = true
        throw error
      }),
    )
  } catch (error) {
    for (const out of done.values()) close(out)
    throw error
  }
  return items.flatMap((item) => done.get(item) ?? [])
}

/**
 * Each group is read one after the other: what a publisher has that is asked over the network. Signed messages of one key must not overtake each other
 * (RFC 8945 §5.2.3), and APIs count. Groups, and what stands in one, are in the order of the items.
 * @param publisherOf  undefined: what is compared with DNS, as everybody sees it
 */
function groupsInTurn<Item>(
  items: readonly Item[],
  publisherOf: (item: Item) => string | undefined,
  publishers: Readonly<Record<string, PublisherOptions>>,
): Item[][] {
  const groups = new Map<string | Item, Item[]>()
  for (const item of items) {
    const publisher = publisherOf(item)
    const type = publisher === undefined ? undefined : publishers[publisher]?.type
    const isHere = type === undefined || type === 'builtin' || type === 'zonefile'
    const key = isHere ? item : (publisher ?? item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}

/** Of the rest of a group whose publisher does not answer: it is asked once, because each time-out of its own would add up to hours. */
const notAskedAgain = ({ why }: TargetFailure): TargetFailure => ({
  kind: 'unreachable',
  why: `${why}; it was not asked once more`,
})
