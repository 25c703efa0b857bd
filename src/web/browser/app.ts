/**
 * The page: finds out who looks, shows the view that the address names, and follows links without loading anew. Each view is a file of its own, read when
 * it is shown, and gives back what ends it.
 */
import type { Self } from '../api/session.ts'
import { ask } from './ask.ts'
import { h, whenDrawn } from './element.ts'
import type { Stage } from './stage.ts'
import { zone } from './words.ts'

type View = (stage: Stage) => void | Promise<void>

const views: readonly { readonly path: RegExp; readonly title: string; readonly load: () => Promise<View> }[] = [
  { path: /^\/$/, title: 'Overview', load: async () => (await import('./overview-page.ts')).overviewPage },
  { path: /^\/domains\/([^/]+)$/, title: 'Domain', load: async () => (await import('./domain-page.ts')).domainPage },
  { path: /^\/queue$/, title: 'Queue', load: async () => (await import('./queue-page.ts')).queuePage },
  {
    path: /^\/messages\/([^/]+)$/,
    title: 'Message',
    load: async () => (await import('./message-page.ts')).messagePage,
  },
  { path: /^\/check$/, title: 'Check', load: async () => (await import('./check-page.ts')).checkPage },
  { path: /^\/history$/, title: 'History', load: async () => (await import('./history-page.ts')).historyPage },
]

const main = document.querySelector<HTMLElement>('main')
let ends: (() => void)[] = []
let self: Self = { name: null, role: 'glance' }

function say(text: string): void {
  const place = document.querySelector('#said')
  if (place) place.textContent = text
}

async function show(isFirst: boolean): Promise<void> {
  if (!main) return
  for (const end of ends) end()
  ends = []
  const path = location.pathname
  const view = views.find((each) => each.path.test(path))
  for (const link of document.querySelectorAll('.top nav a')) {
    const target = link.getAttribute('href') ?? ''
    const isHere =
      target === path ||
      (path.startsWith('/messages/') && target === '/queue') ||
      (path.startsWith('/domains/') && target === '/')
    if (isHere) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  document.title = `${view?.title ?? 'Nothing here'} · Waypost`
  const fresh = h('div')
  const stage: Stage = {
    main,
    self,
    name: decodeURIComponent(view?.path.exec(path)?.[1] ?? ''),
    go,
    say,
    atEnd: (run) => ends.push(run),
  }
  const run = await view?.load()
  main.replaceChildren(...fresh.childNodes)
  if (!run)
    main.replaceChildren(h('h1', {}, 'There is nothing here'), h('p', {}, h('a', { href: '/' }, 'To the overview')))
  else await run(stage)
  if (!isFirst) {
    main.focus({ preventScroll: true })
    scrollTo(0, 0)
  }
}

function go(path: string): void {
  history.pushState(null, '', path)
  void show(false)
}

function showSelf(): void {
  const place = document.querySelector('#who')
  if (!place) return
  if (self.name === null) {
    place.replaceChildren(h('a', { href: '/enter', 'data-full': true }, 'Log in'))
    return
  }
  const out = h('button', { class: 'quiet', onclick: () => void leave() }, 'Log out')
  place.replaceChildren(h('span', {}, self.name === 'link' ? 'by link' : self.name, ` · ${self.role}`), out)
}

function showZone(): void {
  const place = document.querySelector('#zone')
  if (!place) return
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
  const short = zone(Date.now())
  const name = short === timeZone ? timeZone : `${timeZone}, ${short}`
  const others =
    timeZone === 'UTC' ? ', as on the command line and in the log' : '. The log and the command line say UTC'
  place.textContent = `Times on these pages are by the clock of this browser: ${name}${others}.`
}

async function leave(): Promise<void> {
  await ask('DELETE', '/api/session')
  location.assign('/')
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (
    !link ||
    link.origin !== location.origin ||
    link.target ||
    link.hasAttribute('download') ||
    link.dataset.full !== undefined
  )
    return
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return
  if (!views.some(({ path }) => path.test(link.pathname)) || link.hash !== '') return
  event.preventDefault()
  go(link.pathname + link.search)
})
addEventListener('popstate', () => void show(false))

const heard = await ask<Self>('GET', '/api/session')
if (heard.kind === 'ok') self = heard.value
showSelf()
whenDrawn(showZone)
await show(true)
