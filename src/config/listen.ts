/** Where all of Waypost listens: what `listen:` says of each protocol, compared across them. Called by `whole.ts` and `read.ts`. */
import { type IpAddress, isIpv6 } from '../base/ip.ts'
import type { ReadYaml } from './read-yaml.ts'
import type { Problem } from './source.ts'
import { placeOf } from './yaml.ts'

interface Place {
  readonly address: IpAddress
  readonly port: number
}

const kinds = ['smtp', 'dns', 'http'] as const

/** The lists that stand under `listen:`. */
type Lists = { readonly [Kind in (typeof kinds)[number]]?: readonly Place[] | undefined }

export interface ListenPlace extends Place {
  /** All three listen on TCP; DNS on UDP too. */
  readonly kind: (typeof kinds)[number]
}

/** A place that is wanted, with where the file says so; undefined where nothing is said, and this is the default. */
export interface WrittenPlace extends ListenPlace {
  readonly written: Omit<Problem, 'message'> | undefined
}

export const placeText = ({ address, port }: Place): string =>
  isIpv6(address) ? `[${address}]:${port}` : `${address}:${port}`

/** @param main  the file that has `listen:` */
export const writtenPlaces = ({ root, source }: Pick<ReadYaml, 'root' | 'source'>, lists: Lists): WrittenPlace[] =>
  kinds.flatMap((kind) =>
    (lists[kind] ?? []).map((place, index) => {
      const listen = root.entries.get('listen')?.node
      const isSaid = listen?.kind === 'map' && listen.entries.has(kind)
      const { start, end } = placeOf(root, ['listen', kind, index])
      return { kind, ...place, written: isSaid ? source.problem(start, end, '') : undefined }
    }),
  )

/** Two that want one port of one address: the second could not be bound. @param wrong  told at the later of both */
export function refuseSharedPlaces(lists: Lists, wrong: (path: readonly PropertyKey[], message: string) => void): void {
  const before: ListenPlace[] = []
  for (const kind of kinds)
    for (const [index, place] of (lists[kind] ?? []).entries()) {
      const other = before.find((each) => overlap(each, place))
      if (other) wrong(['listen', kind, index], whyShared({ kind, ...place }, other))
      before.push({ kind, ...place })
    }
}

function overlap(one: Place, other: Place): boolean {
  // The system chooses a free one for 0.
  if (one.port === 0 || one.port !== other.port || isIpv6(one.address) !== isIpv6(other.address)) return false
  return one.address === other.address || isWildcard(one) || isWildcard(other)
}

// Each socket is of one family alone, so [::] takes nothing of IPv4.
const isWildcard = ({ address }: Place) => address === '0.0.0.0' || address === '::'

function whyShared(place: ListenPlace, other: ListenPlace): string {
  const isSame = place.address === other.address
  if (isSame && place.kind === other.kind) return 'this address stands in the list already'
  const named = `listen.${other.kind} ${placeText(other)}`
  const why = isSame ? `this is ${named}, too` : `this has port ${place.port} of an address in common with ${named}`
  return `${why}, and one alone can listen there: give each a port or an address of its own`
}
