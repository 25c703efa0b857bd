/**
 * What `backend.list` answers on the control socket, and how `waypost backend list` shows it: a line a backend that fits into 100 columns, with what is
 * longer below it. Called by `backend.ts`; answered by `serve/backends-now.ts`.
 */
import { z } from 'zod'
import { printable } from '../base/printable.ts'
import { shortLengthText } from '../base/time-text.ts'
import { tableText } from './queue/words.ts'

/** A route that names the backend. */
const part = z.object({
  /** Its name under `routes:`, or the domain that wrote it first. */
  route: z.string(),
  preference: z.number(),
  weight: z.number(),
  /** How many domains go that way, or addresses of theirs. */
  domains: z.number(),
  /** Some of them by name, where they are others than `route` says. */
  firstDomains: z.exactOptional(z.array(z.string())),
})

/** An entry for each address of each backend that the gateway has met. */
export const backendList = z.array(
  z.object({
    url: z.string(),
    /** Where the URL leads: an address and port, a path; empty where it has not been asked yet. */
    address: z.string(),
    state: z.enum(['up', 'suspect', 'slow', 'down', 'out']),
    /** Since when it is so, milliseconds since 1970; null where that is not known. A gateway of an older version does not say. */
    sinceMs: z.exactOptional(z.number().nullable()),
    /** False: it was so already when the gateway began, or learnt of the backend. */
    sinceIsExact: z.exactOptional(z.boolean()),
    /** Sessions that are open now. */
    sessions: z.number(),
    /** The last thing that went wrong, in words; null where nothing did. */
    lastError: z.string().nullable(),
    /** What a person can do about it, where that is known. */
    remedy: z.exactOptional(z.string()),
    /** Share of its route's mail that goes there now, 0–1; of several routes, the largest. */
    share: z.number(),
    /** Where several routes name it. */
    shares: z.exactOptional(z.array(z.object({ route: z.string(), share: z.number() }))),
    /** Those that name it, 20 at most. A gateway of an older version does not say. */
    routes: z.exactOptional(z.array(part)),
  }),
)

export type BackendList = z.output<typeof backendList>
type Listed = BackendList[number]
type Part = z.output<typeof part>

const columns = 100
/** The heading of the last column, and the least that it gets. */
const served = 'FOR'
const leastServed = 12

/** @param nowMs  by the wall clock of this machine, which is the gateway's */
export function backendTable(backends: BackendList, nowMs: number): string {
  if (backends.length === 0) return 'No backend has been asked yet.\n'
  const rows = backends.map((backend) => [
    printable(backend.url),
    backend.state,
    sinceText(backend, nowMs),
    String(backend.sessions),
    percent(backend.share),
    ofRoutes(backend, ({ preference }) => preference),
    ofRoutes(backend, ({ weight }) => weight),
    servedText(backend),
  ])
  const [head = '', ...lines] = tableText([
    ['BACKEND', 'STATE', 'SINCE', 'SESSIONS', 'SHARE', 'PREF', 'WEIGHT', served],
    ...rows,
  ]).split(/(?<=\n)/)
  // What is cut off is the end of what it serves, which `--json` has in full.
  const most = Math.max(columns, head.indexOf(served) + leastServed)
  const fitting = (line: string) => (line.length <= most + 1 ? line : `${line.slice(0, most - 1).trimEnd()}…\n`)
  return [head, ...lines.flatMap((line, index) => [fitting(line), ...belowOf(backends[index])])].join('')
}

function sinceText({ sinceMs, sinceIsExact }: Listed, nowMs: number): string {
  if (sinceMs === undefined || sinceMs === null) return '-'
  return `${sinceIsExact === false ? '>' : ''}${shortLengthText(nowMs - sinceMs)}`
}

const percent = (share: number) => `${Math.round(share * 100)} %`

/** `10`, or `10, 20` where its routes differ. */
const ofRoutes = ({ routes = [] }: Listed, of: (part: Part) => number) =>
  [...new Set(routes.map(of))].slice(0, 3).join(', ') || '-'

const servedText = ({ routes = [] }: Listed) =>
  `${routes.slice(0, 3).map(partText).join(', ')}${routes.length > 3 ? ', …' : ''}` || '-'

/** `example.com`, `example.com and 2 more`, `pool: example.com and 2 more`, `postmaster`. */
function partText({ route, domains, firstDomains = [] }: Part): string {
  const [first] = firstDomains
  const name = printable(route, 60)
  if (first !== undefined && domains > 0) return `${name}: ${printable(first, 60)}${moreText(domains - 1)}`
  return `${name}${moreText(domains - 1)}`
}

const moreText = (more: number) => (more > 0 ? ` and ${more.toLocaleString('en')} more` : '')

function belowOf(backend: Listed | undefined): string[] {
  if (!backend) return []
  const { url, address, lastError, remedy, share, shares = [] } = backend
  const place = address === '' || url.endsWith(address) ? '' : printable(address)
  const error = lastError === null ? '' : printable(lastError, 400)
  // Of each route where they differ: 0 % of one is nothing against all of another.
  const named = shares.slice(0, 3).map((each) => `${percent(each.share)} of ${printable(each.route, 60)}`)
  const differ = shares.some((each) => each.share !== share)
  const texts = [
    [place, error].filter((text) => text !== '').join(': '),
    remedy === undefined ? '' : printable(remedy, 400),
    differ ? `${named.join(', ')}${shares.length > named.length ? ', …' : ''}` : '',
  ]
  return texts.filter((text) => text !== '').map((text) => `  ${text}\n`)
}
