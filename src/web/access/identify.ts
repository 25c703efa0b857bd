/** Who makes a request: somebody with a cookie, a program with a token, or nobody that we know. Called by `site.ts` for each request. */
import type { AccessSettings } from './credential.ts'
import { type Connection, cameThroughProxy, isFromHere } from './guard.ts'
import type { Access, Role } from './role.ts'
import type { Secrets } from './secrets.ts'
import { type Holder, linkRole, type Sessions } from './sessions.ts'

export type Who =
  /** `access`: `glance` on this machine, `public` elsewhere. */
  | { readonly kind: 'nobody'; readonly access: Access }
  | {
      readonly kind: 'person'
      readonly name: string
      readonly role: Role
      /** A browser adds the cookie whoever asks it to; a token is added by who knows it. */
      readonly by: 'cookie' | 'token'
      /** Whether that is so still: for what goes on for long. */
      readonly isStill: () => boolean
    }
  | { readonly kind: 'refused'; readonly status: 401 | 403 | 429 | 503; readonly why: string }

export interface IdentifyDeps {
  readonly sessions: Sessions
  readonly secrets: Secrets
  readonly settings: () => AccessSettings
}

export interface Asking {
  readonly connection: Connection
  readonly fieldNames: readonly string[]
  readonly authorization: string | undefined
  readonly cookie: string | undefined
}

export async function identify(asking: Asking, deps: IdentifyDeps): Promise<Who> {
  const { connection, authorization, cookie } = asking
  if (authorization !== undefined) return byToken(authorization, connection, deps)
  const person = cookie === undefined ? undefined : byCookie(cookie, deps)
  if (person) return person
  // Who comes through a proxy may be anybody, though the proxy is on this machine.
  if (cameThroughProxy(asking.fieldNames))
    return { kind: 'refused', status: 403, why: 'a request without a token that came through a proxy' }
  return { kind: 'nobody', access: isFromHere(connection) ? 'glance' : 'public' }
}

function byCookie(cookie: string, { sessions, settings }: IdentifyDeps): Extract<Who, { kind: 'person' }> | undefined {
  const find = sessions.follow(cookie)
  const holder = find()
  const role = roleOf(holder, settings)
  if (!holder || role === undefined) return undefined
  const name = holder.kind === 'link' ? 'link' : holder.name
  return { kind: 'person', name, role, by: 'cookie', isStill: () => roleOf(find(), settings) !== undefined }
}

function roleOf(holder: Holder | undefined, settings: () => AccessSettings): Role | undefined {
  if (!holder) return undefined
  if (holder.kind === 'link') return linkRole
  return settings().access.find(({ name, hash }) => name === holder.name && hash.key === holder.hashKey)?.role
}

async function byToken(authorization: string, { peer }: Connection, deps: IdentifyDeps): Promise<Who> {
  // NAME.SECRET; a name may have dots in it, a token's secret has none (RFC 6750 §2.1).
  const parts = /^Bearer ([A-Za-z0-9._-]{1,64})\.([A-Za-z0-9_~+/=-]{1,1024})$/i.exec(authorization)
  const [, name = '', secret = ''] = parts ?? []
  if (!parts) {
    const isBearer = /^Bearer +\S/i.test(authorization)
    const why = isBearer ? 'the token is not known' : 'Authorization wants "Bearer" and a token'
    return { kind: 'refused', status: 401, why }
  }
  const judged = await deps.secrets.judge(name, secret, peer)
  switch (judged.kind) {
    case 'right': {
      const { hash, role } = judged.access
      const isStill = () => deps.settings().access.some((each) => each.name === name && each.hash.key === hash.key)
      return { kind: 'person', name, role, by: 'token', isStill }
    }
    case 'wrong':
      return { kind: 'refused', status: 401, why: 'the token is not known' }
    case 'too-often':
      return { kind: 'refused', status: 429, why: 'too many wrong tokens; come again in a minute' }
    case 'busy':
      return { kind: 'refused', status: 503, why: 'too many tokens to judge; come again in a moment' }
  }
}
