/**
 * Who looks at the state of things as it changes, and how it reaches them: each second at most, the newest only. However many look, what those of a kind are
 * sent is put into octets once, and costs one write a viewer. Who does not read is passed over, so that he costs no memory, and let go after a while.
 * For `events.ts`.
 */
import type { ServerResponse } from 'node:http'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Refused } from '../site.ts'

export interface Sight {
  readonly isKnown: boolean
  /** Who looks at one domain is told of it too. */
  readonly domain: string | undefined
}

export interface Viewer extends Sight {
  /** A person or an unknown client. */
  readonly of: string
  readonly isStill: () => boolean
  readonly out: ServerResponse
}

export interface Viewers {
  /** Undefined: one more may look. */
  whyRefused(viewer: Pick<Viewer, 'isKnown' | 'of'> & { readonly socket: object }): Refused | undefined
  /** Sends the state of now, and then what becomes of it. */
  add(viewer: Viewer): void
  /** Something is other than it was: told sooner than it would be. */
  changed(): void
  /** Lets go of all. */
  stop(): void
}

export interface ViewersDeps {
  readonly clock: Clock
  /** What is sent, and what of it is new when it differs from the last time. */
  readonly tell: (sight: Sight) => { readonly text: string; readonly bare: string }
}

const mostViewers = 50
/** Of them, those that nobody knows: they cannot shut out whoever may act. */
const mostUnknown = 25
/** Of one name, or of one address that nobody knows: a browser with many windows has as many. */
const mostOfOne = 12
const everyMs = 1_000
/** After the last time, where something changed. */
const soonMs = 250
/** Shorter than what a connection may be silent (`server.ts`), and than what proxies bear. */
const beatMs = 15_000
/** Without room for more. */
const stuckMs = 30_000
const longestMs = 60 * 60_000

interface Looking extends Viewer {
  readonly untilMs: number
  /** When the last thing was sent, and which it was. */
  sentMs: number
  sent: Told | undefined
}

/** The state of things as all of a kind are sent it. */
interface Told {
  readonly bare: string
  readonly octets: Uint8Array
}

export function createViewers({ clock, tell }: ViewersDeps): Viewers {
  const viewers = new Set<Looking>()
  let timer: Timer | undefined
  let tickedMs = Number.NEGATIVE_INFINITY
  let stopped = false

  function tick(): void {
    const nowMs = clock.monotonicMs()
    const made = new Map<string, Told>()
    tickedMs = nowMs
    for (const viewer of viewers) {
      if (nowMs > viewer.untilMs || !viewer.isStill()) {
        letGo(viewer)
        continue
      }
      const kind = kindOf(viewer)
      const told = made.get(kind) ?? make(viewer)
      made.set(kind, told)
      show(viewer, told, nowMs)
    }
    timer = viewers.size > 0 && !stopped ? clock.after(everyMs, tick) : undefined
  }

  function make(sight: Sight): Told {
    const { text, bare } = tell(sight)
    return { bare, octets: Buffer.from(text) }
  }

  function show(viewer: Looking, told: Told, nowMs: number): void {
    const silentMs = nowMs - viewer.sentMs
    // What is the same is not sent again before it is time for a beat.
    if (viewer.sent?.bare === told.bare && silentMs < beatMs) return
    // What a reader has not taken yet is not added to: it gets the state of then when it comes to it.
    if (viewer.out.writableNeedDrain) {
      if (silentMs > stuckMs) viewer.out.destroy()
      return
    }
    viewer.out.write(told.octets)
    viewer.sent = told
    viewer.sentMs = nowMs
  }

  function letGo(viewer: Looking): void {
    viewers.delete(viewer)
    viewer.out.end()
  }

  return {
    whyRefused({ isKnown, of, socket }) {
      const all = [...viewers]
      // Requests that were sent ahead on one connection would wait for its stream, each with a place of its own.
      const isLooking = all.some(({ out }) => out.req.socket === socket)
      if (isLooking || all.filter((viewer) => viewer.of === of).length >= mostOfOne)
        return { kind: 'no', status: 429, why: 'you are looking already' }
      const unknown = all.filter((viewer) => !viewer.isKnown).length
      if (all.length >= mostViewers || (!isKnown && unknown >= mostUnknown))
        return { kind: 'no', status: 503, why: 'too many are looking already' }
      return undefined
    },
    add(viewer) {
      const nowMs = clock.monotonicMs()
      const looking: Looking = { ...viewer, untilMs: nowMs + longestMs, sentMs: nowMs, sent: undefined }
      viewers.add(looking)
      looking.out.on('close', () => viewers.delete(looking))
      // The connection is gone, and its end comes next.
      looking.out.on('error', () => viewers.delete(looking))
      show(looking, make(looking), nowMs)
      timer ??= clock.after(everyMs, tick)
    },
    changed() {
      if (viewers.size === 0 || stopped) return
      timer?.cancel()
      timer = clock.after(Math.max(1, soonMs - (clock.monotonicMs() - tickedMs)), tick)
    },
    stop() {
      stopped = true
      timer?.cancel()
      for (const viewer of viewers) letGo(viewer)
    },
  }
}

const kindOf = ({ isKnown, domain }: Sight): string => `${isKnown} ${domain ?? ''}`
