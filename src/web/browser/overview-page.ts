/** `/`: what an administrator wants to know first: does mail arrive for each domain, where does it go, what is held. */
import type { BackendNow, DomainNow, Overview } from '../state/shapes.ts'
import { ask } from './ask.ts'
import { h, keyed, setText, table, whenDrawn } from './element.ts'
import { flowPicture } from './flow-picture.ts'
import { listen } from './live.ts'
import { mayAct, type Stage } from './stage.ts'
import { backendTone, backendWord, badge, domainTone, domainWord, type Tone } from './states.ts'
import { ago, count, duration, number, size } from './words.ts'

export function overviewPage(stage: Stage): void {
  const head = headline(stage)
  const sums = tiles()
  const picture = flowPicture()
  const domains = domainTable()
  const backends = backendTable(stage)
  const charts = h('div', { class: 'columns' })
  stage.main.replaceChildren(
    head.element,
    sums.element,
    h(
      'section',
      { class: 'card flow', 'aria-labelledby': 'flow-title' },
      h('h2', { id: 'flow-title' }, 'Where the mail goes now'),
      picture.element,
    ),
    h(
      'section',
      { class: 'card early', 'aria-labelledby': 'domains-title' },
      h('h2', { id: 'domains-title' }, 'Domains'),
      domains.element,
    ),
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'backends-title' },
      h('h2', { id: 'backends-title' }, 'Backends'),
      backends.element,
    ),
    charts,
  )
  stage.atEnd(
    listen((overview) => {
      head.show(overview)
      sums.show(overview)
      picture.show(overview)
      domains.show(overview)
      backends.show(overview)
    }),
  )
  stage.atEnd(picture.end)
  let isOver = false
  stage.atEnd(() => {
    isOver = true
  })
  whenDrawn(async () => {
    const { showCharts } = await import('./charts.ts')
    if (!isOver) await showCharts(charts, stage.atEnd)
  })
}

function headline({ say }: Stage) {
  const sign = badge()
  const title = h('h1')
  const more = h('p')
  const element = h('header', { class: 'headline early' }, sign.element, title, more)
  let last = ''
  return {
    element,
    show(overview: Overview) {
      const { tone, text } = sentenceOf(overview)
      sign.show(tone, '')
      setText(title, text)
      setText(more, heldText(overview))
      document.title = `${text} · Waypost`
      if (last !== '' && last !== text) say(text)
      last = text
    },
  }
}

/** The state of the whole is that of the domain that is worst off. */
function sentenceOf({ states, domains, domainCount, whyNotHeld }: Overview): {
  readonly tone: Tone
  readonly text: string
} {
  const { flows, degraded, holding, failing } = states as Record<DomainNow['state'], number>
  const of = (some: number) =>
    domainCount === 1
      ? (domains[0]?.name ?? 'the domain')
      : some === domainCount
        ? domainCount === 2
          ? 'both domains'
          : `all ${number(domainCount)} domains`
        : `${number(some)} of ${number(domainCount)} domains`
  if (domainCount === 0) return { tone: 'unknown', text: 'No domain is declared' }
  if (failing > 0) return { tone: 'bad', text: `Mail fails for ${of(failing)}` }
  if (holding > 0) return { tone: 'hold', text: `Mail is being held for ${of(holding)}` }
  if (degraded > 0) return { tone: 'odd', text: `Mail flows, with trouble for ${of(degraded)}` }
  if (whyNotHeld !== null) return { tone: 'odd', text: 'Mail flows, and none can be held' }
  return { tone: 'good', text: `Mail flows for ${of(flows)}` }
}

function heldText({ held, hostname, startedMs, domains, whyNotHeld }: Overview): string {
  const closed = whyNotHeld === null ? '' : `None can be held now: ${whyNotHeld}. `
  const since = `${closed}${hostname}, running for ${duration(Date.now() - startedMs)}.`
  if (held.messages === 0) return `Nothing is held. ${since}`
  const oldest = held.oldestMs === null ? '' : `, the oldest for ${duration(Date.now() - held.oldestMs)}`
  const persons =
    held.needPerson > 0
      ? ` ${count(held.needPerson, 'recipient')} of it ${held.needPerson === 1 ? 'waits' : 'wait'} for a person.`
      : ''
  const draining = domains.some(({ isDraining }) => isDraining) ? ' Held mail is on its way out.' : ''
  return `${count(held.messages, 'message')} (${size(held.octets)}) ${held.messages === 1 ? 'is' : 'are'} held${oldest}.${persons}${draining} ${since}`
}

function tiles() {
  const words = [
    ['Came from senders', 'a minute'],
    ['Delivered at once', 'a second'],
    ['Held', 'messages'],
    ['From the hold', 'a second'],
    ['Refused', 'a second'],
    ['Senders connected', 'now'],
  ] as const
  const values = words.map(() => h('span'))
  const element = h(
    'dl',
    { class: 'tiles', 'aria-label': 'Figures of now' },
    ...words.map(([name, unit], index) =>
      h('div', { class: 'tile' }, h('dt', {}, name), h('dd', {}, values[index], h('small', {}, ` ${unit}`))),
    ),
  )
  return {
    element,
    show({ perSecond, held, lastMinute, connections }: Overview) {
      const shown = [lastMinute, perSecond.delivered, held.messages, perSecond.drained, perSecond.refused, connections]
      for (const [index, value] of values.entries()) setText(value, number(shown[index] ?? 0))
    },
  }
}

function domainTable() {
  const { element, body } = table('Domains, the worst first', [
    'Domain',
    'State',
    'Why',
    { text: 'Held', number: true },
    'Last delivered',
  ])
  const update = keyed<DomainNow, HTMLTableRowElement>(
    body,
    ({ name }) => name,
    ({ name }) => {
      const state = badge()
      const why = h('td', { class: 'long' })
      const held = h('td', { class: 'number', 'data-label': 'Held' })
      const last = h('td', { 'data-label': 'Last delivered' })
      const link = h('a', { href: `/domains/${encodeURIComponent(name)}` }, name)
      const row = h('tr', {}, h('th', { scope: 'row' }, link), h('td', {}, state.element), why, held, last)
      return {
        row,
        update(domain) {
          state.show(domainTone[domain.state], domainWord[domain.state])
          setText(why, domain.why)
          setText(held, domain.held === 0 ? '–' : number(domain.held))
          setText(last, domain.lastDeliveredMs === null ? '–' : ago(domain.lastDeliveredMs))
        },
      }
    },
  )
  const more = h('p', { class: 'dim small' })
  return {
    element: h('div', {}, element, more),
    show({ domains, domainCount }: Overview) {
      update(domains)
      setText(
        more,
        domainCount > domains.length ? `and ${number(domainCount - domains.length)} more, which are no worse.` : '',
      )
    },
  }
}

/** A state that was there when Waypost began may be older. */
function sinceText({ sinceMs, sinceIsExact }: BackendNow): string {
  if (sinceMs === null) return ''
  return `${sinceIsExact === false ? 'for more than' : 'for'} ${duration(Date.now() - sinceMs)}`
}

/** Of each route where they differ: 67 % of one is not less than all of another. */
function shareText({ share, shares = [] }: BackendNow): string {
  const percent = (part: number) => `${Math.round(part * 100)} %`
  if (shares.every((each) => each.share === share)) return percent(share)
  const named = shares.slice(0, 3).map((each) => `${percent(each.share)} of ${each.route}`)
  return `${named.join(',\n')}${shares.length > named.length ? ', …' : ''}`
}

function backendTable(stage: Stage) {
  const isActing = mayAct(stage.self)
  const { element, body } = table('Backends', [
    'Backend',
    'State',
    { text: 'Share', number: true },
    { text: 'Sessions', number: true },
    'Last error',
    ...(isActing ? ['What to do'] : []),
  ])
  const update = keyed<BackendNow, HTMLTableRowElement>(
    body,
    ({ url, address }) => `${url} ${address}`,
    ({ url, address }) => {
      const state = badge()
      const share = h('td', { class: 'lines', 'data-label': 'Share' })
      const sessions = h('td', { class: 'number', 'data-label': 'Sessions' })
      const error = h('td', { class: 'long' })
      const where =
        address === '' || url.endsWith(`//${address}`) ? undefined : h('div', { class: 'dim small mono' }, address)
      const since = h('div', { class: 'dim small' })
      const acts = isActing ? backendActs(url, stage) : undefined
      const row = h(
        'tr',
        {},
        h('th', { scope: 'row' }, url, where),
        h('td', {}, state.element, since),
        share,
        sessions,
        error,
        acts?.element,
      )
      return {
        row,
        update(backend) {
          state.show(backendTone[backend.state], backendWord[backend.state])
          setText(since, sinceText(backend))
          setText(share, shareText(backend))
          setText(sessions, number(backend.sessions))
          setText(error, backend.lastError ?? '')
          acts?.show(backend)
        },
      }
    },
  )
  return { element, show: ({ backends }: Overview) => update(backends) }
}

/** Try now, out of service, back in: what can be done to a backend where it is shown. */
export function backendActs(url: string, { say }: Pick<Stage, 'say'>) {
  const act = async (word: 'probe' | 'out' | 'in', done: string) => {
    const heard = await ask('POST', `/api/backends/${word}`, { url })
    say(heard.kind === 'ok' ? `${url}: ${done}` : `That did not work: ${heard.why}`)
  }
  const probe = h(
    'button',
    { class: 'quiet', onclick: () => void act('probe', 'is being tried'), 'aria-label': `Try now: ${url}` },
    'Try now',
  )
  const out = h(
    'button',
    { class: 'quiet', onclick: () => void act('out', 'is out of service'), 'aria-label': `Take out: ${url}` },
    'Take out',
  )
  const back = h(
    'button',
    {
      class: 'quiet',
      onclick: () => void act('in', 'is back in service'),
      'aria-label': `Put back: ${url}`,
    },
    'Put back',
  )
  return {
    element: h('td', {}, h('span', { class: 'row' }, probe, out, back)),
    show({ state }: BackendNow) {
      probe.hidden = state === 'up' || state === 'out'
      out.hidden = state === 'out'
      back.hidden = state !== 'out'
    },
  }
}
