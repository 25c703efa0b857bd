/** What may be read at once of publishers, and what one after the other. Used for the zones of a plan and for the steps of migrations. */
import type { PublisherOptions } from '../options.ts'
import type { TargetFailure } from '../targets/target.ts'

/**
 * Each group is read one after the other: what a publisher has that is asked over the network. Signed messages of one key must not overtake each other
 * (RFC 8945 §5.2.3), and APIs count. Groups, and what stands in one, are in the order of the items.
 * @param publisherOf  undefined: what is compared with DNS, as everybody sees it
 */
export function groupsInTurn<Item>(
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
export const notAskedAgain = ({ why }: TargetFailure): TargetFailure => ({
  kind: 'unreachable',
  why: `${why}; it was not asked once more`,
})
