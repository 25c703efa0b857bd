/**
 * The pages as they are sent: a frame, with the style and the script that fills it and what that will ask for first, as data asked by the same door. So nobody waits
 * for a second and third answer before there is anything to see. And the way in.
 */
import { pagePolicy } from '../policy.ts'
import type { Site, SiteContext } from '../site.ts'
import type { Entry, Inlines, Part } from './scripts.ts'

interface Page {
  /** The module that shows it. */
  readonly part: Part
  /** What it asks first, in the words of `browser/`. */
  readonly first: (context: SiteContext) => readonly string[]
}

/** Where the script shows which page; all of them are one document. */
const pages: Readonly<Record<string, Page>> = {
  '/': { part: 'overview-page', first: () => ['/api/overview'] },
  '/domains/:name': {
    part: 'domain-page',
    first: (context) => [`/api/domains/${encodeURIComponent(context.req.param('name') ?? '')}`],
  },
  '/queue': {
    part: 'queue-page',
    first(context) {
      const query = new URLSearchParams(new URL(context.req.url).search)
      // A search may take long: the page stands there before it ends.
      if ([...query.keys()].some((key) => key !== 'after')) return ['/api/overview']
      query.set('limit', '50')
      return ['/api/overview', `/api/queue?${query}`]
    },
  },
  '/messages/:id': {
    part: 'message-page',
    first(context) {
      const message = `/api/messages/${encodeURIComponent(context.req.param('id') ?? '')}`
      return [message, `${message}/text`]
    },
  },
  '/check': { part: 'check-page', first: () => [] },
  '/history': {
    part: 'history-page',
    first(context) {
      const domain = context.req.query('domain')
      return ['/api/conditions', `/api/history?${new URLSearchParams(domain ? { domain } : {})}`]
    },
  },
}

/** What is shown to whoever must say first who he is. */
export type WayIn = (context: SiteContext, status: 200 | 401) => Promise<Response>

export function createWayIn(inlines: Inlines): WayIn {
  return (context, status) => send(inlines, context, status, 'enter', { title: 'Waypost: log in', body: () => enter })
}

/** There is no such page: the script says so in the frame of the others. */
export function createNothing(inlines: Inlines): (context: SiteContext) => Promise<Response> {
  return (context) =>
    send(inlines, context, 404, 'app', {
      title: 'Waypost: nothing here',
      body: (icon) => `${frame(icon)}\n${dataOf({})}`,
    })
}

export function addPages(site: Site, inlines: Inlines, wayIn: WayIn): void {
  for (const [path, { part, first }] of Object.entries(pages))
    site.page(path, 'glance', async (context) => {
      const answers = await answersOf(site, context, ['/api/session', ...first(context)])
      const body = (icon: string) => `${frame(icon)}\n${dataOf(answers)}`
      return send(inlines, context, 200, 'app', { part, title: 'Waypost', body })
    })
  site.page('/enter', 'public', (context) => wayIn(context, 200))
}

async function send(
  inlines: Inlines,
  context: SiteContext,
  status: 200 | 401 | 404,
  entry: Entry,
  { part, title, body }: { readonly part?: Part; readonly title: string; readonly body: (icon: string) => string },
): Promise<Response> {
  const [script, style, icon] = await Promise.all([inlines.script(entry, part), inlines.style(), inlines.icon()])
  context.header('content-security-policy', pagePolicy(script.hash, style.hash))
  return context.html(shell(title, style.text, body(icon), script.text), status)
}

/** Asked as whoever asks for the page would ask, by the same door: what he may not have is left out, and his script hears why when it asks itself. */
async function answersOf(site: Site, context: SiteContext, paths: readonly string[]): Promise<Record<string, unknown>> {
  const { headers, url } = context.req.raw
  const asked = paths.map(async (path) => {
    const response = await site.app.fetch(new Request(new URL(path, url), { headers }), context.env)
    return response.status === 200 ? [[path, await response.json()] as const] : []
  })
  return Object.fromEntries((await Promise.all(asked)).flat())
}

/** A block of data, which no browser runs (HTML §4.12.1); without "<" nothing in it ends it. */
const dataOf = (answers: Readonly<Record<string, unknown>>) =>
  `<script type="application/json" id="first">${JSON.stringify(answers).replaceAll('<', '\\u003c')}</script>`

const shell = (title: string, style: string, body: string, script: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<style>${style}</style>
</head>
<body>
${body}
<script>${script}</script>
</body>
</html>
`

/** @param icon  as SVG: as a picture of its own it would be one more request, and a document of its own to the browser */
const frame = (icon: string) => `<a class="skip" href="#content">To the content</a>
<header class="top">
<a class="brand" href="/"><span class="icon" aria-hidden="true">${icon}</span><span>Waypost</span></a>
<nav aria-label="Pages">
<a href="/">Overview</a>
<a href="/queue">Queue</a>
<a href="/check">Check</a>
<a href="/history">History</a>
</nav>
<div class="who" id="who"></div>
</header>
<p class="offline" id="offline" role="status" hidden></p>
<main id="content" tabindex="-1"><p class="dim">Loading…</p></main>
<footer class="zone dim small" id="zone"></footer>
<div id="said" class="visually-hidden" aria-live="polite"></div>
<noscript><p class="alone">This page is filled by a script of ours. Without one there is the command line: <code>waypost backend list</code>, <code>waypost queue list</code>.</p></noscript>`

const enter = `<main id="content" class="enter">
<img src="/assets/icon.svg" alt="" width="48" height="48">
<h1>Waypost</h1>
<p id="told" role="status">This page shows more to people that it knows.</p>
<form id="login" hidden>
<label for="name">Name</label>
<input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64">
<label for="secret">Password or token</label>
<input id="secret" name="secret" type="password" autocomplete="current-password" required maxlength="1024">
<button class="primary">Log in</button>
</form>
<p class="dim">The command <code>waypost web link</code> prints a link that leads in, too; so does <code>waypost serve</code> when it starts at a terminal.</p>
</main>`
