import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { collectLog } from '../../test/lab/log.ts'
import { idle, noAccess } from '../../test/lab/web.ts'
import { systemRandom } from '../base/random.ts'
import type { Credential } from './access/credential.ts'
import type { Role } from './access/role.ts'
import { hashSecret, readSecretHash } from './access/secret-hash.ts'
import type { WebDeps } from './deps.ts'
import { createWeb, type Web } from './web.ts'

const here = { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: 8025 }
const afar = { remoteAddress: '192.0.2.7', localAddress: '198.51.100.1', localPort: 8025, encrypted: true }

type Socket = typeof here & { readonly encrypted?: boolean }

/** Asks as a browser at the other end of this socket would. */
async function ask(
  web: Web,
  path: string,
  { socket = { ...here }, method = 'GET', headers = {}, body }: Asking = {},
): Promise<Response> {
  const host = `${socket.localAddress}:${socket.localPort}`
  const request = new Request(`http://${host}${path}`, {
    method,
    headers: { host, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return await web.app.fetch(request, { incoming: { socket }, outgoing: {} } as never)
}

interface Asking {
  readonly socket?: Socket
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const ourPage = { origin: 'http://127.0.0.1:8025', 'x-waypost-action': '1', 'content-type': 'application/json' }
const parsed = (text: string) => {
  const read = readSecretHash(text)
  if (read.kind === 'no') throw new Error(read.why)
  return read.value
}
const entry = async (name: string, role: Role, secret: string): Promise<Credential> => ({
  name,
  role,
  hash: parsed(await hashSecret(secret, systemRandom, 14)),
})

function make(access: readonly Credential[] = [], more: Partial<WebDeps> = {}) {
  const collected = collectLog()
  const settings = { ...noAccess, listen: [{ address: '127.0.0.1', port: 0 }] as never, access }
  const web = createWeb({ ...idle, log: collected.log, settings: () => settings, ...more })
  return { web, ...collected }
}

/** Everything that the router has, each once. */
const routesOf = (web: Web) => {
  const all = web.app.routes.filter(({ method }) => method !== 'ALL')
  return [...new Map(all.map((route) => [`${route.method} ${route.path}`, route])).values()]
}

/** They hold nothing of ours: the way in, what it is drawn with, and one word for monitors. */
const open = new Set(['GET /enter', 'POST /api/session', 'GET /healthz', 'GET /readyz', 'GET /assets/icon.svg'])

test('who is not on this machine and has no token is refused, route by route', async () => {
  const { web } = make()
  const routes = routesOf(web)
  assert.ok(routes.length > 30, String(routes.length))
  const answered: string[] = []
  for (const { method, path } of routes) {
    const headers = { origin: 'https://198.51.100.1:8025', 'x-waypost-action': '1', 'content-type': 'application/json' }
    const asked = { socket: afar, method, headers, ...(method === 'GET' ? {} : { body: {} }) }
    const response = await ask(web, path.replace(/:(\w+)(\{[^}]*\})?/g, 'abc'), asked)
    if (response.status === 401) continue
    answered.push(`${method} ${path}`)
  }
  assert.deepEqual(new Set(answered), open)
})

test('somebody on this machine without a token sees counts and states, and acts on nothing', async () => {
  const { web } = make()
  for (const { method, path } of routesOf(web)) {
    const key = `${method} ${path}`
    if (method !== 'GET' && !open.has(key)) {
      const response = await ask(web, path, { method, headers: ourPage, body: {} })
      assert.equal(response.status, 401, key)
    }
    if (/^GET \/api\/(?:queue|messages|history)/.test(key))
      assert.equal((await ask(web, path.replace(/:\w+(\{[^}]*\})?/g, 'abc'))).status, 401, key)
  }
  assert.equal((await ask(web, '/')).status, 200)
  assert.equal((await ask(web, '/api/minutes')).status, 200)
})

test('what came through a proxy is from nobody on this machine', async () => {
  const { web } = make([await entry('mon', 'view', 'secret-of-mon')])
  for (const name of [
    ...['Forwarded', 'Forwarded-For', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded', 'Via', 'X-Real-IP'],
    ...[
      'X-Vercel-Forwarded-For',
      'X-Nginx-Proxy',
      'Proxy-Connection',
      'X-Sucuri-ClientIP',
      'Incap-Client-IP',
      'Remote-User',
    ],
    ...['Ali-CDN-Real-IP', 'X-BlueCoat-Via', 'X-authentik-username', 'X-Request-ID', 'X-Real-Port', 'X-Coming-From'],
    ...['X-NF-Client-Connection-IP', 'DO-Connecting-IP'],
    ...['CDN-Loop', 'X-Original-Forwarded-For', 'X-Envoy-External-Address', 'X-ARR-SSL', 'X-Varnish', 'CF-Ray'],
  ]) {
    const response = await ask(web, '/api/minutes', { headers: { [name]: 'for=127.0.0.1' } })
    assert.equal(response.status, 403, name)
    assert.equal((await ask(web, '/', { headers: { [name]: '127.0.0.1' } })).status, 403, name)
    // A balancer's question is no more than a word.
    for (const path of ['/healthz', '/readyz'])
      assert.equal((await ask(web, path, { headers: { [name]: '127.0.0.1' } })).status, 200, path)
  }
  const traced = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
  assert.equal((await ask(web, '/api/minutes', { headers: traced })).status, 200)
  const known = { authorization: 'Bearer mon.secret-of-mon', via: '1.1 proxy' }
  assert.equal((await ask(web, '/api/minutes', { headers: known })).status, 200)
})

test('a name that is not ours is not answered', async () => {
  const settings = { ...noAccess, hosts: ['mail.example.com', 'other.example:8443'] }
  const { web } = make([], { settings: () => settings })
  const status = async (host: string) => (await ask(web, '/api/minutes', { headers: { host } })).status
  assert.equal(await status('127.0.0.1:8025'), 200)
  assert.equal(await status('localhost:8025'), 200)
  assert.equal(await status('mail.example.com'), 200)
  assert.equal(await status('MAIL.example.com:99'), 200)
  assert.equal(await status('other.example:8443'), 200)
  for (const host of [
    'other.example',
    'evil.example:8025',
    '127.0.0.1',
    '127.0.0.1:80',
    '127.0.0.2:8025',
    'localhost',
    '',
  ])
    assert.equal(await status(host), 421, host)
})

test('a link works once, sets a cookie that no script sees, and going out ends the session', async () => {
  const { web, lines } = make([], {})
  const [place] = await web.listen()
  const key = web.link()?.split('#')[1] ?? ''
  await web.stop()
  assert.ok(place)
  const socket = { ...here, localPort: 8025 }
  const enter = () => ask(web, '/api/session', { socket, method: 'POST', headers: ourPage, body: { key } })

  const first = await enter()
  assert.equal(first.status, 200)
  const set = first.headers.get('set-cookie') ?? ''
  assert.match(set, /^waypost-8025=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/)
  const cookie = set.split(';')[0] ?? ''
  assert.equal((await enter()).status, 401)

  const self = await ask(web, '/api/session', { headers: { cookie } })
  assert.deepEqual(await self.json(), { name: 'link', role: 'operate' })
  const outcome = await ask(web, '/api/backends/out', {
    method: 'POST',
    headers: { ...ourPage, cookie },
    body: { url: 'smtp://10.0.0.9' },
  })
  assert.equal(outcome.status, 404)
  const line = lines.find(({ fields }) => fields.action === 'POST /api/backends/out')
  assert.deepEqual(
    [line?.event, line?.fields.by, line?.fields.client, line?.fields.status, line?.fields.backend],
    ['done through the dashboard', 'link', '127.0.0.1', 404, 'smtp://10.0.0.9'],
  )

  assert.equal((await ask(web, '/api/session', { method: 'DELETE', headers: { ...ourPage, cookie } })).status, 200)
  assert.deepEqual(await (await ask(web, '/api/session', { headers: { cookie } })).json(), {
    name: null,
    role: 'glance',
  })
})

test('a browser is shown in the frame of our pages that there is nothing; a program hears it as JSON', async () => {
  const { web } = make()
  const page = await ask(web, '/nope', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
  assert.equal(page.status, 404)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  assert.match(page.headers.get('content-security-policy') ?? '', /sha256-/)
  assert.match(await page.text(), /<nav aria-label="Pages">/)
  for (const [path, accept] of [
    ['/nope', '*/*'],
    ['/api/nope', 'text/html'],
  ] as const) {
    const told = await ask(web, path, { headers: { accept } })
    assert.deepEqual([told.status, await told.json()], [404, { why: 'there is nothing of this name' }])
  }
})

test('what another site has a browser do is not done', async () => {
  const { web } = make([await entry('ann', 'operate', 'a long password')])
  const login = await ask(web, '/api/session', {
    method: 'POST',
    headers: ourPage,
    body: { name: 'ann', secret: 'a long password' },
  })
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const status = async (headers: Record<string, string>) =>
    (await ask(web, '/api/backends/out', { method: 'POST', headers: { cookie, ...headers }, body: { url: 'x' } }))
      .status
  assert.equal(await status(ourPage), 404)
  const { origin, ...noOrigin } = ourPage
  const { 'x-waypost-action': field, ...noField } = ourPage
  assert.equal(await status(noOrigin), 403)
  assert.equal(await status(noField), 403)
  assert.equal(await status({ ...ourPage, origin: 'http://evil.example' }), 403)
  assert.equal(await status({ ...ourPage, origin: 'https://127.0.0.1:8025' }), 403)
  assert.equal(await status({ ...ourPage, 'sec-fetch-site': 'same-site' }), 403)
  assert.equal((await status({ ...ourPage, 'content-type': 'text/plain' })) >= 400, true)
})

test('tokens have roles, and one that is taken out of the configuration is worth nothing', async () => {
  const access = [
    await entry('see', 'view', 'sees'),
    await entry('reads.mail', 'read', 'reads'),
    await entry('acts', 'operate', 'acts'),
  ]
  let now: readonly Credential[] = access
  const { web } = make([], { settings: () => ({ ...noAccess, access: now }) })
  const status = async (path: string, token: string, method = 'GET') =>
    (
      await ask(web, path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'GET' ? {} : { body: { url: 'x' } }),
      })
    ).status
  assert.equal(await status('/api/queue', 'see.sees'), 200)
  assert.equal(await status('/api/messages/A/text', 'see.sees'), 403)
  assert.equal(await status('/api/messages/A/text', 'reads.mail.reads'), 404)
  assert.equal(await status('/api/backends/probe', 'reads.mail.reads', 'POST'), 403)
  assert.equal(await status('/api/backends/probe', 'acts.acts', 'POST'), 404)
  assert.equal(await status('/api/queue', 'see.wrong'), 401)
  assert.equal(await status('/api/queue', 'nobody.sees'), 401)
  now = access.slice(1)
  assert.equal(await status('/api/queue', 'see.sees'), 401)
})

test('who guesses is soon not listened to, and the right one is remembered', async () => {
  const { web } = make([await entry('acts', 'operate', 'right')])
  const status = async (secret: string) =>
    (await ask(web, '/api/queue', { headers: { authorization: `Bearer acts.${secret}` } })).status
  assert.equal(await status('right'), 200)
  const wrong: number[] = []
  for (let guess = 0; guess < 11; guess++) wrong.push(await status(`wrong${guess}`))
  assert.equal(wrong[0], 401)
  assert.equal(wrong.at(-1), 429)
  assert.equal(await status('right'), 200)
})

test('who guesses one name locks out no other, nor who came in before, and right ones are no guesses', async () => {
  const names = ['guessed', 'other', 'cookie'] as const
  const { web } = make(await Promise.all(names.map((name) => entry(name, 'view', `secret-of-${name}`))))
  const ofToken = async (name: string, secret: string) =>
    (await ask(web, '/api/queue', { headers: { authorization: `Bearer ${name}.${secret}` } })).status
  const body = { name: 'cookie', secret: 'secret-of-cookie' }
  const login = await ask(web, '/api/session', { method: 'POST', headers: ourPage, body })
  const cookie = (login.headers.get('set-cookie') ?? '').split(';')[0] ?? ''

  for (let guess = 0; guess < 12; guess++) await ofToken('guessed', `wrong${guess}`)
  assert.equal(await ofToken('guessed', 'another'), 429)
  assert.equal(await ofToken('other', 'secret-of-other'), 200)
  assert.equal((await ask(web, '/api/queue', { headers: { cookie } })).status, 200)
})

test('a right token that many use at once is no guess', async () => {
  const { web } = make([await entry('mon', 'view', 'right')])
  const headers = { authorization: 'Bearer mon.right' }
  const burst = async () => {
    const asked = Array.from({ length: 9 }, () => ask(web, '/api/queue', { headers }))
    return (await Promise.all(asked)).map(({ status }) => status)
  }
  for (let round = 0; round < 3; round++) assert.deepEqual(new Set(await burst()), new Set([200]))
})

test('the log of a login that failed names nobody who is not declared', async () => {
  const { web, lines } = make([await entry('ann', 'view', 'right')])
  for (const name of ['ann', 'a password typed into the wrong field'])
    await ask(web, '/api/session', { method: 'POST', headers: ourPage, body: { name, secret: 'wrong' } })
  const said = lines.filter(({ fields }) => fields.action === 'POST /api/session').map(({ fields }) => fields.name)
  assert.deepEqual(said, ['ann', undefined])
})

test('keys and secrets that are tried again and again: a line at once, then how often, and the right link all the same', async () => {
  const { web, lines } = make([await entry('ann', 'view', 'right')])
  const enter = (body: object) => ask(web, '/api/session', { method: 'POST', headers: ourPage, body })
  const statuses: number[] = []
  for (let times = 0; times < 40; times++) statuses.push((await enter({ key: 'made up' })).status)
  assert.deepEqual([statuses.filter((status) => status === 401).length, statuses.at(-1)], [10, 429])
  for (let times = 0; times < 12; times++) await enter({ name: 'ann', secret: 'wrong' })
  const told = () => lines.filter(({ event }) => event === 'done through the dashboard').map(({ fields }) => fields)
  assert.deepEqual(
    told().map(({ status, name, more }) => [status, name, more]),
    [
      [401, 'link', undefined],
      [429, 'link', undefined],
      [401, 'ann', undefined],
      [429, 'ann', undefined],
    ],
  )
  await web.stop()
  assert.deepEqual(
    told()
      .slice(4)
      .map(({ more }) => more),
    [9, 29, 9, 1],
  )
})

test('of what stands in a page only our own script and style are allowed, by their hashes', async () => {
  const { web } = make([], quiet)
  for (const path of ['/', '/queue', '/enter']) {
    const response = await ask(web, path)
    const policy = response.headers.get('content-security-policy') ?? ''
    const text = await response.text()
    for (const element of ['script', 'style']) {
      const [, inside = ''] = new RegExp(`<${element}>([\\s\\S]+?)</${element}>`).exec(text) ?? []
      assert.ok(inside.length > 500, `${path} ${element}`)
      const hash = createHash('sha256').update(inside).digest('base64')
      assert.ok(policy.split('; ').includes(`${element}-src 'self' 'sha256-${hash}'`), policy)
    }
    // What else stands in it is data.
    assert.doesNotMatch(text.replace(/<script>[\s\S]+?<\/script>/, ''), /<script(?! type="application\/json")|\son\w+=/)
  }
})

test('every answer forbids what it does not need', async () => {
  const { web } = make()
  for (const path of ['/', '/enter', '/api/minutes', '/nothing', '/assets/icon.svg']) {
    const { headers } = await ask(web, path)
    const policy = headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'/)
    assert.doesNotMatch(policy, /unsafe/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  }
  assert.equal((await ask(web, '/api/minutes')).headers.get('cache-control'), 'no-store')
})

/** What the overview needs of a gateway. */
const quiet: Partial<WebDeps> = {
  gatewaySettings: () => ({ hostname: 'mx.example.com', destinations: { domains: [], routes: [] } }) as never,
}

test('a page brings along what it asks first, as much as who asks may have, and as nothing but data', async () => {
  const hostname = '</script><script>alert(1)</script>'
  const gatewaySettings = () => ({ hostname, destinations: { domains: [], routes: [] } }) as never
  const { web } = make([await entry('see', 'view', 'sees')], { gatewaySettings })
  const first = async (path: string, headers: Record<string, string> = {}) => {
    const text = await (await ask(web, path, { headers })).text()
    assert.equal(text.match(/<script/g)?.length, 2, 'the script of the page, and the data')
    const [, data = ''] = /<script type="application\/json" id="first">(.*?)<\/script>/s.exec(text) ?? []
    return JSON.parse(data) as Record<string, { hostname?: string; name?: string | null }>
  }
  const unknown = await first('/')
  assert.equal(unknown['/api/overview']?.hostname, hostname)
  assert.equal(unknown['/api/session']?.name, null)
  assert.deepEqual(Object.keys(await first('/queue')), ['/api/session', '/api/overview'])
  const known = await first('/queue', { authorization: 'Bearer see.sees' })
  assert.deepEqual(Object.keys(known), ['/api/session', '/api/overview', '/api/queue?limit=50'])
  assert.equal(known['/api/session']?.name, 'see')
})

test('who sees a check step by step sees no more of it once he may not', async () => {
  let access: readonly Credential[] = [await entry('acts', 'operate', 'acts')]
  const { web } = make([], { settings: () => ({ ...noAccess, access }), check: () => new Promise(() => undefined) })
  const headers = { authorization: 'Bearer acts.acts', 'content-type': 'application/json' }
  const begun = await ask(web, '/api/checks', { method: 'POST', headers, body: { domain: 'example.com' } })
  const { id } = (await begun.json()) as { id: string }
  const events = await ask(web, `/api/checks/${id}/events`, { headers })
  assert.equal(events.status, 200)
  access = []
  assert.equal(await events.text(), '')
})

test('the role view leaves some checks to whoever may act, and one domain is looked at once at a time', async () => {
  const access = [await entry('see', 'view', 'sees'), await entry('acts', 'operate', 'acts')]
  let running = 0
  const check = () => {
    running++
    return new Promise<never>(() => undefined)
  }
  const { web } = make(access, { check, isDeclared: () => true })
  const start = async (token: string, domain: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return (await ask(web, '/api/checks', { method: 'POST', headers, body: { domain } })).status
  }
  assert.equal(await start('see.sees', 'one.example'), 200)
  assert.equal(await start('see.sees', 'one.example'), 200)
  assert.equal(running, 1)
  assert.equal(await start('see.sees', 'two.example'), 429)
  assert.equal(await start('acts.acts', 'two.example'), 200)
  assert.equal(await start('acts.acts', 'three.example'), 429)
})

test('it is not ready while the mail of a domain is neither taken nor kept', async () => {
  const listeners: Parameters<WebDeps['listen']>[0][] = []
  const hear: Parameters<WebDeps['listen']>[0] = (event) => listeners.forEach((told) => void told(event))
  const route = {
    id: 'r',
    balance: 'round-robin',
    entries: [{ backend: { url: 'smtp://b' }, preference: 0, weight: 1 }],
  }
  const domain = { name: 'example.com', subdomains: false, route, hold: { holdMs: 1000 } }
  const report = {
    url: 'smtp://b',
    address: '192.0.2.1:25',
    state: 'down',
    sessions: 0,
    share: 1,
    lastError: 'refused',
  }
  const { web } = make([], {
    gateway: { ...idle.gateway, backends: () => [report] as never },
    gatewaySettings: () =>
      ({ hostname: 'mx.example.com', destinations: { domains: [domain], routes: [route] } }) as never,
    queue: { totals: { messages: 0, bytes: 0, oldestMs: undefined }, domains: () => [], lanes: () => [] },
    listen: (told) => void listeners.push(told),
  })
  const ready = async () => (await ask(web, '/readyz')).status
  assert.equal(await ready(), 200)
  hear({ kind: 'alert', atMs: 0, event: 'message not held', about: { why: 'disk' } })
  assert.equal(await ready(), 503)
  hear({ kind: 'held' } as never)
  assert.equal(await ready(), 200)
})

test('many that read mail at once take the memory of a few', async () => {
  const part = Promise.withResolvers<never>()
  let loading = 0
  const cat = () => {
    loading++
    return part.promise
  }
  const gateway = { ...idle.gateway, heldMail: { operations: { cat } } as never }
  const { web } = make([await entry('reads', 'read', 'reads')], { gateway })
  const headers = { authorization: 'Bearer reads.reads' }
  assert.equal((await ask(web, '/api/session', { headers })).status, 200)
  const asked = Array.from({ length: 12 }, () => ask(web, '/api/messages/A/text', { headers }))
  await Promise.race(asked)
  part.resolve({ kind: 'gone' } as never)
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  assert.deepEqual([loading, statuses.filter((status) => status === 503).length], [4, 8])
})

test('a body that is too long is refused', async () => {
  const { web } = make()
  const response = await ask(web, '/api/session', {
    method: 'POST',
    headers: ourPage,
    body: { key: 'x'.repeat(70_000) },
  })
  assert.equal(response.status, 413)
})

test('the description names every call of the API with its role', async () => {
  const { web } = make()
  const document = (await (await ask(web, '/api/openapi.json')).json()) as {
    paths: Record<string, Record<string, { description: string }>>
  }
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description }]) => {
      assert.match(description, /^Role: (?:public|glance|view|read|operate)\.$/)
      return `${method.toUpperCase()} ${path}`
    }),
  )
  const served = routesOf(web)
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    .filter((key) => key.includes('/api/') && !key.endsWith('openapi.json'))
  assert.deepEqual(described.sort(), served.sort())
})
