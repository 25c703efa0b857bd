/**
 * The site: one way by which every route of the dashboard is made, so that none can be reached without what it asks for.
 *   a request → do we listen to it at all (`access/guard.ts`) → who asks (`access/identify.ts`) → may he (`access/role.ts`) → its route
 * Resources (`api/`, one file each) and pages (`page/`) are added to it. What changes something leaves a line in the log.
 */
import { ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie } from 'hono/cookie'
import type { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { clientKey, type IpAddress, parseIp } from '../base/ip.ts'
import type { Fields, Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import { deedKind } from '../gateway/operate/deed.ts'
import type { ToldSparingly } from '../gateway/told-sparingly.ts'
import { type Connection, isOurHost, whyNotOurPage } from './access/guard.ts'
import { type IdentifyDeps, identify, type Who } from './access/identify.ts'
import { type Access, isEnough } from './access/role.ts'
import { actionWords } from './action-words.ts'
import type { WebDeps } from './deps.ts'
import { apiPolicy, commonFields } from './policy.ts'
import type { WebSettings } from './settings.ts'
import { whyInvalid } from './why-invalid.ts'

export interface SiteEnv {
  Bindings: HttpBindings
  Variables: { who: Who; connection: Connection; audit: Fields | undefined }
}

export type SiteContext = Context<SiteEnv>

/** One call of the API. */
export interface Resource<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType> {
  readonly method: 'get' | 'post' | 'delete'
  /** `/api/messages/{id}` */
  readonly path: string
  readonly access: Access
  readonly summary: string
  readonly params?: z.ZodObject
  readonly query?: Query
  readonly body?: Body
  readonly answer: Answer
  readonly handle: (asked: Asked<Query, Body>) => Promise<Answered<z.input<Answer>>> | Answered<z.input<Answer>>
}

export interface Asked<Query extends z.ZodObject, Body extends z.ZodType> {
  readonly query: z.output<Query>
  readonly body: z.output<Body>
  param(name: string): string
  readonly who: Who
  /** What the line in the log says of an action, beside who did it. */
  audit(fields: Fields): void
  readonly context: SiteContext
}

export type Answered<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | Refused
  /** The answer was made by hand: a file, a stream. */
  | { readonly kind: 'response'; readonly response: Response }
  | Written

/** Why who has no name here hears 401. */
export const takesPerson = 'this takes a token or a login'

export interface Refused {
  readonly kind: 'no'
  readonly status: 400 | 401 | 403 | 404 | 409 | 429 | 503
  readonly why: string
}

/** An answer that goes on, written straight to its connection: each layer between would cost something for every reader and every write. */
export interface Written {
  readonly kind: 'written'
  readonly fields: Readonly<Record<string, string>>
  /** Asked in the same turn as `begin`, so that no other request takes its place meanwhile. */
  readonly whyRefused: () => Refused | undefined
  /** Not called where only the header is asked for. */
  readonly begin: (out: ServerResponse) => void
}

export interface Site {
  readonly app: OpenAPIHono<SiteEnv>
  resource<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
    resource: Resource<Query, Body, Answer>,
  ): void
  /** What is no part of the API: a page, a style, what a monitor asks. */
  page(path: string, access: Access, handle: (context: SiteContext) => Response | Promise<Response>): void
  /** What says one word of the process and nothing of mail: answered whoever asks, also through a proxy. */
  probe(path: string, handle: (context: SiteContext) => Response): void
}

export interface SiteDeps extends IdentifyDeps {
  readonly settings: () => WebSettings
  readonly clock: Clock
  readonly log: Log
  /** For what anybody may try again and again. */
  readonly sparingly: ToldSparingly
  /** Who did what is part of the history. */
  readonly watch: WebDeps['watch']
  /** The name of the cookie that says whose session it is; browsers share cookies among the ports of a host. */
  readonly cookieName: (connection: Connection) => string
  /** What somebody is shown who asks for a page and is not known. */
  readonly wayIn: (context: SiteContext) => Promise<Response>
  /** What somebody is shown who asks for a page that there is none of. */
  readonly nothing: (context: SiteContext) => Promise<Response>
}

const mostBodyBytes = 64 * 1024

export function createSite(deps: SiteDeps): Site {
  const { log } = deps
  const app = new OpenAPIHono<SiteEnv>()

  const probes = new Set<string>()
  app.use(admitting(probes, deps))
  app.notFound((context) =>
    isForReader(context) ? deps.nothing(context) : no(context, 404, 'there is nothing of this name'),
  )
  app.onError((error, context) => {
    log.error('a page or call failed', { path: printable(context.req.path, 200), error })
    return no(context, 500, 'this could not be done; the log says why')
  })

  const acting = actingFor(deps)
  const limited = bodyLimit({ maxSize: mostBodyBytes, onError: (context) => no(context, 413, 'this is too long') })

  return {
    app,
    page(path, access, handle) {
      app.get(path, only(access, deps.wayIn), async (context) => handle(context))
    },
    probe(path, handle) {
      probes.add(path)
      app.get(path, (context) => handle(context))
    },
    resource(resource) {
      const guards = [only(resource.access), ...(resource.method === 'get' ? [] : [limited, acting])]
      // A parameter that is not there may be another one misspelt: passed over in silence, it would ask for all.
      const strict = resource.query
        ? { ...resource, query: resource.query.strict() as typeof resource.query }
        : resource
      const route = documented(strict)
      app.openAPIRegistry.registerPath(route)
      app.on(resource.method, [route.getRoutingPath()], ...guards, (context) => answer(context, strict))
    },
  }
}

/** Whether we listen to it at all, and who asks: known to all that comes behind, but to probes, whom nobody need know. */
const admitting =
  (probes: ReadonlySet<string>, deps: SiteDeps): MiddlewareHandler<SiteEnv> =>
  async (context, next) => {
    for (const [name, value] of Object.entries(commonFields)) context.header(name, value)
    context.header('content-security-policy', apiPolicy)
    const connection = connectionOf(context)
    if (!connection) return no(context, 400, 'the connection is gone')
    context.set('connection', connection)
    if (!isOurHost(context.req.header('host'), connection, deps.settings().hosts))
      return no(context, 421, 'this is not called by that name: see web.hosts')
    if (probes.has(context.req.path)) return next()
    const who = await identify(
      {
        connection,
        fieldNames: Object.keys(context.req.header()),
        authorization: context.req.header('authorization'),
        cookie: getCookie(context, deps.cookieName(connection)),
      },
      deps,
    )
    context.set('who', who)
    if (who.kind === 'refused') return no(context, who.status, who.why)
    await next()
    // Nobody will read what HEAD leaves out: a stream that nobody ends would go on without a reader.
    if (context.req.method === 'HEAD') await context.res.body?.cancel()
    return undefined
  }

/** Who has no right to it gets no further. @param wayIn  of a page: what who is not known is shown instead */
const only =
  (access: Access, wayIn?: SiteDeps['wayIn']): MiddlewareHandler<SiteEnv> =>
  async (context, next) => {
    const who = context.get('who')
    const has = who.kind === 'person' ? who.role : who.kind === 'nobody' ? who.access : 'public'
    if (!isEnough(has, access)) {
      if (wayIn && who.kind !== 'person') return wayIn(context)
      if (who.kind === 'person') return no(context, 403, `this takes the role ${access}`)
      return no(context, 401, takesPerson)
    }
    return next()
  }

/** What changes something: not from another site, not without end, and not without a line in the log. */
const actingFor =
  ({ log, sparingly, watch, clock }: SiteDeps): MiddlewareHandler<SiteEnv> =>
  async (context, next) => {
    const who = context.get('who')
    const why = whyNotOurPage((name) => context.req.header(name), context.get('connection').isTls)
    // A token is sent by a program that knows it, and by no browser for somebody else.
    if (!(who.kind === 'person' && who.by === 'token') && why !== undefined) return no(context, 403, why)
    await next()
    const audited = context.get('audit') ?? {}
    const by = who.kind === 'person' ? who.name : 'nobody'
    const title = context.res.ok ? actionWords(context.req.path, by, audited) : undefined
    if (title !== undefined)
      watch?.history.note({
        ...{ atMs: clock.now(), kind: deedKind, severity: 'notice', title },
        ...{ domain: typeof audited.domain === 'string' ? audited.domain : null, detail: '' },
      })
    const { peer } = context.get('connection')
    const { status } = context.res
    const action = `${context.req.method} ${printable(context.req.path, 200)}`
    const fields = { action, by, client: peer, status, ...audited }
    // Whoever reaches us may try to come in, as often as it likes: the disk under the log is not its own.
    if (who.kind === 'person' || context.res.ok) log.info('done through the dashboard', fields)
    else sparingly.tell('info', 'done through the dashboard', aboutTry(peer, status, audited), fields)
    return undefined
  }

/** A browser that goes to a page says that it takes HTML; a program, or a script of ours, does not. */
const isForReader = ({ req }: SiteContext): boolean =>
  !req.path.startsWith('/api/') && /\btext\/html\b/i.test(req.header('accept') ?? '')

/** What is the same try again: of one client, under one name, with one answer. */
const aboutTry = (peer: IpAddress, status: number, { name }: Fields): string =>
  `${clientKey(peer)} ${status} ${typeof name === 'string' ? name : ''}`

async function answer<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
  context: SiteContext,
  resource: Resource<Query, Body, Answer>,
): Promise<Response> {
  const query = readBy(resource.query, context.req.query())
  if (query.kind === 'wrong') return no(context, 400, query.why)
  const params = readBy(resource.params, context.req.param())
  if (params.kind === 'wrong') return no(context, 400, params.why)
  if (resource.body && !/^application\/json(?:;|$)/i.test(context.req.header('content-type') ?? ''))
    return no(context, 415, 'the body has to be JSON, and to say so: content-type: application/json')
  const body = readBy(resource.body, resource.body && (await jsonOf(context)))
  if (body.kind === 'wrong') return no(context, 400, body.why)
  const answered = await resource.handle({
    query: (query.value ?? {}) as z.output<Query>,
    body: body.value as z.output<Body>,
    param: (name) => String(params.value?.[name] ?? ''),
    who: context.get('who'),
    audit: (fields) => context.set('audit', fields),
    context,
  })
  if (answered.kind === 'response') return guarded(answered.response)
  if (answered.kind === 'written') return written(answered, context)
  if (answered.kind === 'no') return no(context, answered.status, answered.why)
  return context.json(answered.value as never)
}

type Read<Value> =
  | { readonly kind: 'read'; readonly value: Value | undefined }
  | { readonly kind: 'wrong'; readonly why: string }

/** @param shape  undefined: nothing is asked for */
function readBy<Shape extends z.ZodType>(shape: Shape | undefined, given: unknown): Read<z.output<Shape>> {
  const read = shape?.safeParse(given)
  if (shape === undefined || read === undefined) return { kind: 'read', value: undefined }
  return read.success
    ? { kind: 'read', value: read.data }
    : { kind: 'wrong', why: whyInvalid(shape, given, read.error) }
}

/** One that was made by hand has none of the fields that the context was given. */
function guarded(response: Response): Response {
  for (const [name, value] of Object.entries({ ...commonFields, 'content-security-policy': apiPolicy }))
    if (!response.headers.has(name)) response.headers.set(name, value)
  return response
}

function written({ fields, whyRefused, begin }: Written, context: SiteContext): Response {
  const refused = whyRefused()
  if (refused) return no(context, refused.status, refused.why)
  if (context.req.method === 'HEAD') return guarded(new Response(null, { headers: fields }))
  const { outgoing } = context.env
  if (!(outgoing instanceof ServerResponse)) throw new Error('only HTTP/1 is spoken here')
  // Its end is that of the connection (RFC 9112 §6.3): nothing is put around what is written.
  outgoing.removeHeader('transfer-encoding')
  outgoing.writeHead(200, { ...commonFields, 'content-security-policy': apiPolicy, ...fields })
  begin(outgoing)
  return new Response(null, { headers: RESPONSE_ALREADY_SENT.headers })
}

/** Undefined where it is none: then the shape says what is wanted. */
async function jsonOf(context: SiteContext): Promise<unknown> {
  try {
    return JSON.parse(await context.req.text())
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function no(context: Pick<SiteContext, 'json'>, status: number, why: string): Response {
  return context.json({ why }, status as 400)
}

/** What OpenAPI says of it. */
function documented<Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>({
  method,
  path,
  access,
  summary,
  params,
  query,
  body,
  answer,
}: Resource<Query, Body, Answer>) {
  const isOpen = access === 'public' || access === 'glance'
  return createRoute({
    method,
    path,
    summary,
    description: `Role: ${access}.`,
    security: isOpen ? [] : [{ token: [] }, { session: [] }],
    request: {
      ...(params ? { params } : {}),
      ...(query ? { query } : {}),
      ...(body ? { body: { required: true, content: { 'application/json': { schema: body } } } } : {}),
    },
    responses: { 200: { description: 'Done.', content: { 'application/json': { schema: answer } } } },
  })
}

function connectionOf(context: SiteContext): Connection | undefined {
  const { socket } = context.env.incoming
  const peer = parseIp(socket.remoteAddress ?? '')
  const address = parseIp(socket.localAddress ?? '')
  if (peer === undefined || address === undefined) return undefined
  return { peer, address, port: socket.localPort ?? 0, isTls: 'encrypted' in socket && socket.encrypted === true }
}
