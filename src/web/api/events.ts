/**
 * `/api/events`: the page's own eyes, as server-sent events. A viewer is sent the state of things, each second at most (a backend that goes down or comes up is
 * told sooner) and the newest only; who looks at one domain, that domain in the same stream, so that no page has to ask. There are 50 at most, half of
 * them unknown, one a connection and a dozen of one person or unknown client; nobody looks for longer than an hour without asking anew. See `viewers.ts`.
 */
import { z } from '@hono/zod-openapi'
import { clientKey } from '../../base/ip.ts'
import type { WebDeps } from '../deps.ts'
import { type Site, takesPerson } from '../site.ts'
import type { Now } from '../state/now.ts'
import { domainName } from '../state/shapes.ts'
import { createViewers } from './viewers.ts'

export interface Events {
  /** Lets go of all viewers. */
  stop(): void
}

export function addEvents(site: Site, now: Now, { clock, listen }: Pick<WebDeps, 'clock' | 'listen'>): Events {
  const viewers = createViewers({
    clock,
    tell({ isKnown, domain }) {
      const overview = JSON.stringify(now.overview(isKnown))
      const live = domain === undefined ? undefined : now.live(domain)
      const more = live ? `event: domain\ndata: ${JSON.stringify(live)}\n\n` : ''
      // `atMs` stands first (`overview` of `now.ts` makes it so), and changes always.
      return {
        text: `event: overview\ndata: ${overview}\n\n${more}`,
        bare: overview.slice(overview.indexOf(',')) + more,
      }
    },
  })

  listen(({ kind }) => {
    if (kind !== 'backend-state') return
    now.changed()
    viewers.changed()
  })

  site.resource({
    method: 'get',
    path: '/api/events',
    access: 'glance',
    summary:
      'The state of things as it changes: server-sent events named `overview`, each as /api/overview answers; of a domain that is asked for, named `domain` too, with what changes by itself of /api/domains/{name}.',
    query: z.object({
      domain: domainName.optional().describe('For who is known; nothing is said of one that is not declared.'),
    }),
    answer: z.string().describe('text/event-stream'),
    handle({ who, context, query }) {
      const domain = query.domain?.toLowerCase()
      if (domain !== undefined && who.kind !== 'person') return { kind: 'no', status: 401, why: takesPerson }
      const of = who.kind === 'person' ? `person ${who.name}` : clientKey(context.get('connection').peer)
      const isKnown = who.kind === 'person'
      return {
        kind: 'written',
        whyRefused: () => viewers.whyRefused({ isKnown, of, socket: context.env.incoming.socket }),
        fields: { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' },
        begin: (out) => viewers.add({ isKnown, of, domain, isStill: isKnown ? who.isStill : () => true, out }),
      }
    },
  })

  return { stop: viewers.stop }
}
