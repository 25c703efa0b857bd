/**
 * The pages as they are sent: a frame that its script fills through the API; and the way in. What the script will ask for first goes with the frame, as data, so
 * that nobody waits for a second and third answer before there is anything to see.
 */
import { pagePolicy } from '../policy.ts'
import type { Site, SiteContext } from '../site.ts'
import { scriptPaths } from './assets.ts'

/** Where the script shows which page; all of them are one document. What each of them asks first, in the words of `browser/`. */
const pages: Readonly<Record<string, (context: SiteContext) => readonly string[]>> = {
  '/': () => ['/api/overview'],
  '/domains/:name': (context) => [`/api/domains/${encodeURIComponent(context.req.param('name') ?? '')}`],
  '/queue': (context) => {
    const query = new URLSearchParams(new URL(context.req.url).search)
    // A search may take long: the page stands there before it ends.
    if ([...query.keys()].some((key) => key !== 'after')) return ['/api/overview']
    query.set('limit', '50')
    return ['/api/overview', `/api/queue?${query}`]
  },
  '/messages/:id': (context) => [`/api/messages/${encodeURIComponent(context.req.param('id') ?? '')}`],
  '/check': () => [],
  '/history': (context) => {
    const domain = context.req.query('domain')
    return ['/api/conditions', `/api/history?${new URLSearchParams(domain ? { domain } : {})}`]
  },
}

export function addPages(site: Site): void {
  for (const [path, first] of Object.entries(pages))
    site.page(path, 'glance', async (context) => {
      const answers = await answersOf(site, context, ['/api/session', ...first(context)])
      return page(context, 200, shell('Waypost', scriptPaths.app, `${frame}\n${dataOf(answers)}`))
    })
  site.page('/enter', 'public', (context) => wayIn(context, 200))
}

/** What is shown to whoever must say first who he is. */
export const wayIn = (context: SiteContext, status: 200 | 401): Response =>
  page(context, status, shell('Waypost: log in', scriptPaths.enter, enter))

function page(context: SiteContext, status: 200 | 401, text: string): Response {
  context.header('content-security-policy', pagePolicy)
  return context.html(text, status)
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

const shell = (title: string, script: string, body: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
<script type="module" src="${script}"></script>
</head>
<body>
${body}
</body>
</html>
`

const frame = `<a class="skip" href="#content">To the content</a>
<header class="top">
<a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="26" height="26"><span>Waypost</span></a>
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
<p class="dim">Or open the link that <code>waypost serve</code> printed when it started; <code>waypost web link</code> prints another one.</p>
</main>`
