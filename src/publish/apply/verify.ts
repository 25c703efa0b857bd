/**
 * Asks every authoritative server until it answers with what was applied, or the time is up. That a target said "done" proves nothing: servers
 * leave changes out by their rules without a word (RFC 2136 §3.4.2), and secondaries follow later. Called by `apply.ts`.
 */
import { type Clock, within } from '../../base/clock.ts'
import { type IpAddress, whyNotPublic } from '../../base/ip.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { type NameServer, nameServerText } from '../../dns/servers.ts'
import type { Transport } from '../../dns/transport.ts'
import { foldName, plainNameText, type WireName } from '../../dns/wire-name.ts'
import { askServer } from '../sets/ask-server.ts'
import { dataKey, type SetContent, sameContent, setText } from '../sets/record-set.ts'
import type { SetChange } from '../targets/target.ts'
import type { Witnesses } from '../targets/witnesses.ts'

export interface ServerView {
  readonly server: NameServer
  readonly state: /** It answers with all of it. */
    | { readonly kind: 'right' }
    /** It still says something else of these. */
    | { readonly kind: 'other'; readonly sets: readonly string[] }
    | { readonly kind: 'not-its-zone' | 'silent'; readonly why: string }
}

export interface Verified {
  readonly servers: readonly ServerView[]
  /** Why some servers were not even asked. */
  readonly unfound: string | undefined
}

export interface VerifyOptions extends Witnesses {
  /** How long in all. A look that was begun takes `timeoutMs` more at most. */
  readonly limitMs: number
  /** Of one question, and the least that a whole look has. */
  readonly timeoutMs: number
  /** Whom to ask, wherever they are; the zone's own name servers are added where `asksZone`. */
  readonly servers: readonly NameServer[]
  /** Told whenever a server's state is seen to be another. */
  readonly progress: (servers: readonly ServerView[]) => void
}

export interface VerifyDeps {
  readonly clock: Clock
  readonly transport: Transport
  readonly resolver: Resolver
}

const firstPauseMs = 100
const longestPauseMs = 5_000

export async function verifyChanges(
  zone: WireName,
  changes: readonly SetChange[],
  options: VerifyOptions,
  deps: VerifyDeps,
): Promise<Verified> {
  const untilMs = deps.clock.monotonicMs() + options.limitMs
  const found = options.asksZone ? await serversOf(zone, options, untilMs, deps) : { servers: [], unfound: undefined }
  const servers = distinctServers([...options.servers, ...found.servers])
  let views = await lookAtAll(servers, changes, untilMs, options, deps)
  options.progress(views)
  for (let pauseMs = firstPauseMs; !views.every(isRight); pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    const leftMs = untilMs - deps.clock.monotonicMs()
    if (leftMs <= 0) break
    await pause(Math.min(pauseMs, leftMs), deps.clock)
    const waiting = views.filter((view) => !isRight(view)).map((view) => view.server)
    const seen = await lookAtAll(waiting, changes, untilMs, options, deps)
    const before = views
    views = views.map((view) => seen.find((each) => each.server === view.server) ?? view)
    if (views.some((view, index) => view.state.kind !== before[index]?.state.kind)) options.progress(views)
  }
  return { servers: views, unfound: found.unfound }
}

/** Whether somebody was asked, and all of them answer with all of it. */
export const isSeenByAll = ({ servers }: Verified): boolean => servers.length > 0 && servers.every(isRight)

export const isRight = (view: ServerView): boolean => view.state.kind === 'right'

function lookAtAll(
  servers: readonly NameServer[],
  changes: readonly SetChange[],
  untilMs: number,
  options: VerifyOptions,
  deps: VerifyDeps,
): Promise<ServerView[]> {
  // Where the time is as good as up, one question still has all of its own.
  const lookUntilMs = Math.max(untilMs, deps.clock.monotonicMs() + options.timeoutMs)
  return Promise.all(servers.map((server) => lookAt(server, changes, lookUntilMs, options, deps)))
}

/** Questions that one server has from us at once. */
const questionsAtOnce = 10

async function lookAt(
  server: NameServer,
  changes: readonly SetChange[],
  untilMs: number,
  { timeoutMs, healthy }: VerifyOptions,
  { clock, transport }: VerifyDeps,
): Promise<ServerView> {
  let unusable: ServerView['state'] | undefined
  const late = { kind: 'silent', why: 'the time was up before it had answered everything' } as const
  const others = await mapAtOnce(changes, questionsAtOnce, async (change) => {
    if (unusable) return []
    const leftMs = untilMs - clock.monotonicMs()
    // Over UDP and then over TCP it may take its time twice.
    const asked = leftMs <= 0 ? undefined : askServer(transport, server, change, Math.min(timeoutMs, leftMs))
    const said = (asked && (await within(asked, untilMs, clock))) ?? late
    if (said.kind !== 'set') {
      unusable ??= said
      return []
    }
    const isWithout = healthy.has(foldName(change.name)) && isWithoutSome(said.content, change.after)
    return isWithout || sameContent(said.content, change.after) ? [] : [setText(change)]
  })
  const sets = others.flat()
  // What it said in time tells more than that the time was up.
  if (unusable && (unusable !== late || sets.length === 0)) return { server, state: unusable }
  return { server, state: sets.length === 0 ? { kind: 'right' } : { kind: 'other', sets } }
}

/** Whether these are addresses of the set and no others, kept no longer: as the built-in server answers while some are down. */
function isWithoutSome(said: SetContent | undefined, wanted: SetContent | undefined): boolean {
  if (said === undefined || wanted === undefined || said.ttlSeconds > wanted.ttlSeconds) return false
  const known = new Set(wanted.data.map(dataKey))
  return said.data.every((data) => (data.type === 'A' || data.type === 'AAAA') && known.has(dataKey(data)))
}

/** Name servers of a zone whose addresses are looked up, and addresses of theirs that are asked: no zone that means well has more. */
const mostServers = 13
const mostAddresses = 50

/**
 * All addresses of all servers that the zone names, but those inside of private networks: who writes the delegation decides about them, and that
 * need not be who runs this. A primary that is kept inside is named in waypost.yaml.
 */
async function serversOf(
  zone: WireName,
  { servers: named, isPrivate, dnsPort = 53, timeoutMs }: VerifyOptions,
  untilMs: number,
  { clock, resolver }: VerifyDeps,
): Promise<{ readonly servers: readonly NameServer[]; readonly unfound: string | undefined }> {
  const lookUntilMs = Math.max(untilMs, clock.monotonicMs() + timeoutMs)
  const ns = await within(resolver.resolve(zone, 'NS'), lookUntilMs, clock)
  if (!ns) return { servers: [], unfound: 'the time was up before DNS named servers for the zone' }
  if (ns.kind !== 'answer')
    return { servers: [], unfound: ns.kind === 'failed' ? ns.why : 'DNS names no servers for the zone' }
  const isNamed = (address: IpAddress) => named.some((server) => server.address === address)
  const servers: NameServer[] = []
  const lost: string[] = []
  const inside: string[] = []
  const found = await Promise.all(
    ns.records.slice(0, mostServers).map(async ({ data: { target } }) => {
      const both = Promise.all([resolver.resolve(target, 'A'), resolver.resolve(target, 'AAAA')])
      return { target, answers: (await within(both, lookUntilMs, clock)) ?? [] }
    }),
  )
  for (const { target, answers } of found) {
    const addresses = answers.flatMap((answer) =>
      answer.kind === 'answer' ? answer.records.map((record) => record.data.address) : [],
    )
    if (addresses.length === 0) lost.push(plainNameText(target))
    for (const address of addresses) {
      if (isNamed(address)) continue
      const why = isPrivate ? undefined : whyNotPublic(address)
      if (why === undefined) servers.push({ address, port: dnsPort })
      else inside.push(`${plainNameText(target)} at ${address}, which is ${why}`)
    }
  }
  const unfound = [
    ...(lost.length === 0 ? [] : [`no address for ${lost.join(', ')}`]),
    ...(inside.length === 0 ? [] : [`${inside.join(', ')}: say --private, or name them by "servers:"`]),
  ]
  return { servers: servers.slice(0, mostAddresses), unfound: unfound.length === 0 ? undefined : unfound.join('; ') }
}

const distinctServers = (servers: readonly NameServer[]): NameServer[] => [
  ...new Map(servers.map((server) => [nameServerText(server), server])).values(),
]

const pause = (ms: number, clock: Clock) => new Promise<void>((resolve) => void clock.after(ms, resolve))
