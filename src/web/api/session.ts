/** `/api/session`: coming in by the key of a link or by name and secret, who one is, and going out. */
import { z } from '@hono/zod-openapi'
import { deleteCookie, setCookie } from 'hono/cookie'
import type { Clock } from '../../base/clock.ts'
import { clientKey } from '../../base/ip.ts'
import { createRateCounter } from '../../base/limits.ts'
import type { Connection } from '../access/guard.ts'
import type { IdentifyDeps } from '../access/identify.ts'
import { roles } from '../access/role.ts'
import { type Holder, sessionMs } from '../access/sessions.ts'
import type { Answered, Site, SiteContext } from '../site.ts'

const credentials = z.union([
  z.strictObject({ key: z.string().max(100) }),
  z.strictObject({ name: z.string().max(64), secret: z.string().max(1024) }),
])

const self = z.object({
  /** Null: nobody that we know, on this machine. */
  name: z.string().nullable(),
  role: z.enum(['glance', ...roles]),
})
export type Self = z.output<typeof self>

/** Of one client. */
const wrongKeysAMinute = 10

export const cookieName = ({ port, isTls }: Connection): string => `${isTls ? '__Host-' : ''}waypost-${port}`

export function addSession(
  site: Site,
  deps: Pick<IdentifyDeps, 'sessions' | 'secrets' | 'settings'> & { readonly clock: Clock },
): void {
  const { sessions, secrets, settings } = deps
  const wrongKeys = createRateCounter(deps.clock, 60_000)
  site.resource({
    method: 'get',
    path: '/api/session',
    access: 'glance',
    summary: 'Who one is.',
    answer: self,
    handle: ({ who }) => ({
      kind: 'ok',
      value: who.kind === 'person' ? { name: who.name, role: who.role } : { name: null, role: 'glance' as const },
    }),
  })

  site.resource({
    method: 'post',
    path: '/api/session',
    access: 'public',
    summary: 'Comes in: by the key of a link that works once, or by a name and its password or token.',
    body: credentials,
    answer: z.object({}),
    async handle({ body, context, audit }) {
      const opened = 'key' in body ? openByKey(body.key, context) : await openByName(body.name, body.secret, context)
      // What is no name here may be a password that was typed into the wrong field.
      const said = 'key' in body ? 'link' : settings().access.find(({ name }) => name === body.name)?.name
      audit({ session: opened.kind === 'no' ? 'refused' : 'opened', ...(said === undefined ? {} : { name: said }) })
      if (opened.kind === 'no') return opened
      const connection = context.get('connection')
      setCookie(context, cookieName(connection), sessions.begin(opened.holder), {
        path: '/',
        httpOnly: true,
        secure: connection.isTls,
        sameSite: 'Strict',
        maxAge: sessionMs / 1000,
      })
      return { kind: 'ok', value: {} }
    },
  })

  site.resource({
    method: 'delete',
    path: '/api/session',
    access: 'view',
    summary: 'Goes out: the session is over.',
    answer: z.object({}),
    handle({ context }) {
      const name = cookieName(context.get('connection'))
      const cookie = deleteCookie(context, name, { path: '/', secure: context.get('connection').isTls })
      if (cookie !== undefined) sessions.end(cookie)
      return { kind: 'ok', value: {} }
    },
  })

  type Opened = { readonly kind: 'opened'; readonly holder: Holder } | Extract<Answered<never>, { kind: 'no' }>

  function openByKey(key: string, context: SiteContext): Opened {
    // The right one comes in whatever others of its network have tried: nobody guesses 32 octets.
    if (sessions.redeem(key)) return { kind: 'opened', holder: { kind: 'link' } }
    const from = clientKey(context.get('connection').peer)
    if (wrongKeys.recent(from) >= wrongKeysAMinute)
      return { kind: 'no', status: 429, why: 'too many links that are over; come again in a minute' }
    wrongKeys.count(from)
    return { kind: 'no', status: 401, why: 'this link was used before, or is too old' }
  }

  async function openByName(said: string, secret: string, context: SiteContext): Promise<Opened> {
    // A token holds its name, so it may be typed in by itself.
    const name = said
    const bare = secret.startsWith(`${name}.`) ? secret.slice(name.length + 1) : secret
    const judged = await secrets.judge(name, bare, context.get('connection').peer)
    switch (judged.kind) {
      case 'right':
        return { kind: 'opened', holder: { kind: 'access', name, hashKey: judged.access.hash.key } }
      case 'wrong':
        return { kind: 'no', status: 401, why: 'name and password do not belong together' }
      case 'too-often':
        return { kind: 'no', status: 429, why: 'too many wrong ones; come again in a minute' }
      case 'busy':
        return { kind: 'no', status: 503, why: 'come again in a moment' }
    }
  }
}
