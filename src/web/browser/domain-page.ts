/** `/domains/…`: one domain: where its mail goes, how its backends are, what the world is told of it and what a check makes of that. */
import type { DomainAnswer } from '../api/domain.ts'
import type { BackendNow } from '../state/shapes.ts'
import { ask } from './ask.ts'
import { check, report } from './checking.ts'
import { h, table } from './element.ts'
import { listenDomain } from './live.ts'
import { backendActs } from './overview-page.ts'
import { stateWords } from './queue-page.ts'
import { mayAct, type Stage } from './stage.ts'
import { backendTone, backendWord, badge, badgeOf, domainTone, domainWord } from './states.ts'
import { ago, count, duration, number } from './words.ts'

export async function domainPage(stage: Stage): Promise<void> {
  const { main, name } = stage
  const path = `/api/domains/${encodeURIComponent(name)}`
  const heard = await ask<DomainAnswer>('GET', path)
  const back = h('p', { class: 'small' }, h('a', { href: '/' }, '← Overview'))
  if (heard.kind === 'no') {
    main.replaceChildren(
      back,
      h('h1', {}, name),
      h(
        'p',
        { class: 'card' },
        heard.status === 401
          ? 'What is known of a domain is shown to people who have logged in.'
          : `${heard.why[0]?.toUpperCase()}${heard.why.slice(1)}.`,
      ),
    )
    return
  }
  document.title = `${name} · Waypost`
  const state = badge()
  const why = h('p')
  const backends = h('div')
  const held = h('div')
  const records = h('section', { class: 'card', 'aria-labelledby': 'records-title' })
  const checkPlace = h('div')
  const isOne = !name.startsWith('*.')
  main.replaceChildren(
    h('header', {}, back, h('div', { class: 'headline' }, state.element, h('h1', {}, name), why)),
    h(
      'section',
      { class: 'card', 'aria-labelledby': 'backends-title' },
      h('h2', { id: 'backends-title' }, 'Backends'),
      backends,
    ),
    h(
      'div',
      { class: 'columns' },
      h(
        'section',
        { class: 'card', 'aria-labelledby': 'held-title' },
        h('h2', { id: 'held-title' }, 'Held mail'),
        held,
      ),
      records,
    ),
    ...(isOne ? [checkSection(stage, checkPlace, records)] : []),
  )
  let last = heard.value
  let drawn = ''
  const show = (answer: DomainAnswer) => {
    last = answer
    const { now } = answer
    state.show(domainTone[now.state], '')
    const word = domainWord[now.state]
    why.textContent = `${word[0]?.toUpperCase()}${word.slice(1)}${now.why === '' ? '.' : `: ${now.why}`}`
    const key = JSON.stringify([answer.backends, answer.heldByState])
    if (key === drawn) return
    drawn = key
    // Whoever stands on a button stays there: it is made again in the same place.
    const focused = document.activeElement?.getAttribute('aria-label')
    backends.replaceChildren(backendsOf(answer, stage))
    held.replaceChildren(...heldOf(answer))
    if (focused) backends.querySelector<HTMLElement>(`[aria-label="${CSS.escape(focused)}"]`)?.focus()
  }
  show(last)
  showRecords(records, last)
  if (last.lastCheck) checkPlace.replaceChildren(...report(last.lastCheck, last.lastCheck.id))
  else checkPlace.replaceChildren(h('p', { class: 'dim' }, 'Nobody has looked since this gateway started.'))

  stage.atEnd(listenDomain(name, (live) => show({ ...last, ...live })))
}

function backendsOf({ backends, balance }: DomainAnswer, stage: Stage): HTMLElement {
  const isActing = mayAct(stage.self)
  const { element, body } = table('Backends, in the order in which they are tried', [
    'Backend',
    'State',
    { text: 'Preference', number: true },
    { text: 'Share', number: true },
    { text: 'Latency', number: true },
    { text: 'Sessions', number: true },
    'Last error',
    ...(isActing ? ['What to do'] : []),
  ])
  for (const { url, preference, weight, addresses } of backends) {
    const list: readonly BackendNow[] = addresses.length > 0 ? addresses : [{ ...unmet, url }]
    for (const each of list) {
      const acts = isActing ? backendActs(url, stage) : undefined
      acts?.show(each)
      const where =
        each.address === '' || url.endsWith(`//${each.address}`)
          ? undefined
          : h('div', { class: 'dim small mono' }, each.address)
      body.append(
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, url, where),
          h('td', {}, badgeOf(backendTone[each.state], backendWord[each.state])),
          h(
            'td',
            { class: 'number', 'data-label': 'Preference' },
            `${preference}${weight === 1 ? '' : `, weight ${weight}`}`,
          ),
          h('td', { class: 'number', 'data-label': 'Share' }, `${Math.round(each.share * 100)} %`),
          h('td', { class: 'lines', 'data-label': 'Latency' }, latencyText(each)),
          h('td', { class: 'number', 'data-label': 'Sessions' }, number(each.sessions)),
          h('td', { class: 'long' }, each.lastError ?? ''),
          acts?.element,
        ),
      )
    }
  }
  return h(
    'div',
    {},
    element,
    h(
      'p',
      { class: 'dim small' },
      balance === 'round-robin' ? 'Equals take turns by weight.' : 'The least busy of equals is asked first.',
    ),
  )
}

/** A backend that has not been asked yet. */
const unmet = {
  address: '',
  state: 'up',
  sinceMs: null,
  sessions: 0,
  share: 0,
  lastError: null,
  p50Ms: null,
  p95Ms: null,
} as const

/** Half of the messages of the last minutes, and 95 of 100. */
const latencyText = ({ p50Ms, p95Ms }: BackendNow) =>
  p50Ms === null || p95Ms === null ? '–' : `half in ${number(p50Ms)} ms,\n95 % in ${number(p95Ms)} ms`

function heldOf({ now, heldByState, hold }: DomainAnswer): readonly Node[] {
  const kept =
    hold.ms === 0
      ? 'Nothing is held for this domain: while no backend answers, senders are asked to come again.'
      : `Kept for ${duration(hold.ms)} at most.`
  if (now.held === 0) return [h('p', {}, 'Nothing is held.'), h('p', { class: 'dim small' }, kept)]
  return [
    h(
      'p',
      {},
      h('a', { href: `/queue?domain=${encodeURIComponent(now.name)}` }, count(now.held, 'message')),
      now.oldestMs === null ? '' : `, the oldest came ${ago(now.oldestMs)}.`,
    ),
    h(
      'ul',
      { class: 'plain' },
      ...Object.entries(heldByState)
        .filter(([, some]) => some > 0)
        .map(([state, some]) => {
          const [tone, word] = stateWords[state] ?? ['unknown', state]
          return h(
            'li',
            { class: 'row apart' },
            badgeOf(tone, word),
            h('span', { class: 'number' }, count(some, 'recipient')),
          )
        }),
    ),
    h('p', { class: 'dim small' }, kept),
  ]
}

/** Declared and published, side by side: what stands on one side alone is marked. */
function showRecords(place: HTMLElement, { records, publisher, lookedMs }: DomainAnswer): void {
  const title = h('h2', { id: 'records-title' }, 'Records')
  if (records.length === 0) {
    place.replaceChildren(
      title,
      h('p', {}, 'Its records are not declared here.'),
      h('p', { class: 'dim small' }, 'A check shows what is published.'),
    )
    return
  }
  const { element, body } = table('Records, as declared and as published', ['Record', 'Declared', 'Published'])
  for (const { name, type, data, isDeclared, isPublished } of records)
    body.append(
      h(
        'tr',
        {},
        h(
          'th',
          { scope: 'row', class: 'long' },
          h('span', { class: 'dim small' }, `${name} ${type}`),
          h('div', { class: 'mono' }, data),
        ),
        h(
          'td',
          { 'data-label': 'Declared' },
          isDeclared === null ? 'by somebody else' : isDeclared ? badgeOf('good', 'yes') : badgeOf('odd', 'no'),
        ),
        h(
          'td',
          { 'data-label': 'Published' },
          isPublished === null ? 'not seen yet' : isPublished ? badgeOf('good', 'yes') : badgeOf('bad', 'no'),
        ),
      ),
    )
  const when = lookedMs === null ? 'A check shows what is published.' : `Published as seen ${ago(lookedMs)}.`
  const how = publisher === null ? '' : ` Published by ${publisher}; "waypost plan" shows what would change.`
  place.replaceChildren(title, element, h('p', { class: 'dim small' }, `${when}${how}`))
}

function checkSection(stage: Stage, place: HTMLElement, records: HTMLElement): HTMLElement {
  const button = h('button', { type: 'button' }, 'Check now')
  button.addEventListener('click', async () => {
    button.disabled = true
    const found = await check(stage.name, place, stage)
    button.disabled = false
    const next = found && (await ask<DomainAnswer>('GET', `/api/domains/${encodeURIComponent(stage.name)}`))
    if (next?.kind === 'ok') showRecords(records, next.value)
  })
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'check-title' },
    h('div', { class: 'row apart' }, h('h2', { id: 'check-title' }, 'What a check finds'), button),
    place,
  )
}
