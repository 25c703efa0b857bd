/**
 * `/api/events`: the page's own eyes, as server-sent events. A viewer is sent the state of things, each second at most (a backend that goes down or comes up is
 * told sooner) and the newest only, so that a slow one costs no memory. There are 50 at most, half of them unknown, one a connection and a dozen of one
 * person or unknown client; nobody looks for longer than an hour without asking anew.
 */
import { z } from '@hono/zod-openapi'
import type { Timer } from '../../base/clock.ts'
import { clientKey } from '../../base/ip.ts'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'
import type { Now } from '../state/now.ts'

const mostViewers = 50
/** Of them, those that nobody knows: they cannot shut out whoever may act. */
const mostUnknown = 25
/** Of one name, or of one address that nobody knows: a browser with many windows has as many. */
const mostOfOne = 12
const everyMs = 1_000
/** After the last time, where a backend's state changed. */
const soonMs = 250
/** Shorter than what a connection may be silent (`server.ts`), and than what proxies bear. */
const beatMs = 15_000
const longestMs = 60 * 60_000

export interface Events {
  /** Lets go of all viewers. */
  stop(): void
  readonly viewers: number
}

interface Viewer {
  readonly isKnown: boolean
  /** A person or an unknown client. */
  readonly of: string
  /** The connection that it looks through. */
  readonly socket: object
  readonly isStill: () => boolean
  readonly untilMs: number
  /** When the last thing was sent. */
  sentMs: number
  /** What was sent last, without its time. */
  last: string
  send: (octets: Uint8Array) => boolean
  end: () => void
}

/** The state of things as all viewers of a kind are sent it: written out once, whoever looks. */
interface Told {
  /** Without `atMs`, which changes always. */
  readonly bare: string
  readonly octets: Uint8Array
}

export function addEvents(site: Site, now: Now, { clock, listen }: Pick<WebDeps, 'clock' | 'listen'>): Events {
  const viewers = new Set<Viewer>()
  let timer: Timer | undefined
  let tickedMs = Number.NEGATIVE_INFINITY
  let stopped = false

  const encoder = new TextEncoder()

  function told(isKnown: boolean): Told {
    const text = JSON.stringify(now.overview(isKnown))
    return { bare: text.replace(/^\{"atMs":\d+,/, ''), octets: encoder.encode(`event: overview\ndata: ${text}\n\n`) }
  }

  function tick(): void {
    const made = new Map<boolean, Told>()
    const nowMs = clock.monotonicMs()
    tickedMs = nowMs
    for (const viewer of [...viewers]) {
      if (nowMs > viewer.untilMs || !viewer.isStill()) {
        viewer.end()
        continue
      }
      const newest = made.get(viewer.isKnown) ?? told(viewer.isKnown)
      made.set(viewer.isKnown, newest)
      show(viewer, newest, nowMs)
    }
    timer = viewers.size > 0 && !stopped ? clock.after(everyMs, tick) : undefined
  }

  listen(({ kind }) => {
    if (kind !== 'backend-state' || viewers.size === 0 || stopped) return
    now.changed()
    timer?.cancel()
    timer = clock.after(Math.max(1, soonMs - (clock.monotonicMs() - tickedMs)), tick)
  })

  function show(viewer: Viewer, { bare, octets }: Told, nowMs: number): void {
    // What is the same is not sent again before it is time for a beat.
    if (bare === viewer.last && nowMs - viewer.sentMs < beatMs) return
    if (!viewer.send(octets)) return
    viewer.last = bare
    viewer.sentMs = nowMs
  }

  site.resource({
    method: 'get',
    path: '/api/events',
    access: 'glance',
    summary: 'The state of things as it changes: server-sent events named `overview`, each as /api/overview answers.',
    answer: z.string().describe('text/event-stream'),
    handle({ who, context }) {
      const { socket } = context.env.incoming
      const of = who.kind === 'person' ? `person ${who.name}` : clientKey(context.get('connection').peer)
      const all = [...viewers]
      // Requests that were sent ahead on one connection would wait for its stream, each with a place of its own.
      if (
        all.some((viewer) => viewer.socket === socket) ||
        all.filter((viewer) => viewer.of === of).length >= mostOfOne
      )
        return { kind: 'no', status: 429, why: 'you are looking already' }
      const unknown = all.filter(({ isKnown }) => !isKnown).length
      if (viewers.size >= mostViewers || (who.kind !== 'person' && unknown >= mostUnknown))
        return { kind: 'no', status: 503, why: 'too many are looking already' }
      const isKnown = who.kind === 'person'
      const { stream, viewer } = view({ isKnown, of, socket, isStill: isKnown ? who.isStill : () => true })
      viewers.add(viewer)
      const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
      show(viewer, told(viewer.isKnown), clock.monotonicMs())
      timer ??= clock.after(everyMs, tick)
      return { kind: 'response', response: new Response(stream, { headers }) }
    },
  })

  function view(who: Pick<Viewer, 'isKnown' | 'of' | 'socket' | 'isStill'>): {
    stream: ReadableStream
    viewer: Viewer
  } {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined
    const viewer: Viewer = {
      ...who,
      untilMs: clock.monotonicMs() + longestMs,
      sentMs: clock.monotonicMs(),
      last: '',
      // What a reader has not taken yet is not added to: it gets the state of then when it comes to it.
      send(octets) {
        if (!controller || (controller.desiredSize ?? 0) <= 0) return false
        controller.enqueue(octets)
        return true
      },
      end() {
        viewers.delete(viewer)
        try {
          controller?.close()
        } catch {
          // It was closed from the other side.
        }
      },
    }
    const stream = new ReadableStream<Uint8Array>(
      {
        start(own) {
          controller = own
        },
        cancel() {
          viewers.delete(viewer)
        },
      },
      { highWaterMark: 2 },
    )
    return { stream, viewer }
  }

  return {
    stop() {
      stopped = true
      timer?.cancel()
      for (const viewer of [...viewers]) viewer.end()
    },
    get viewers() {
      return viewers.size
    },
  }
}
