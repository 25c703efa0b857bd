/** `/history`: what changed and when, and who did what; what is wrong now stands above it. */
import type { ConditionsAnswer, HistoryAnswer } from '../api/history.ts'
import { ask } from './ask.ts'
import { h } from './element.ts'
import type { Stage } from './stage.ts'
import { badgeOf, type Tone } from './states.ts'
import { ago, day, machineTime, momentAndUtc, timeOfDay, zone } from './words.ts'

const tones: Readonly<Record<string, Tone>> = { error: 'bad', warning: 'odd', notice: 'unknown' }

export async function historyPage(stage: Stage): Promise<void> {
  const { main, self } = stage
  const domain = new URLSearchParams(location.search).get('domain')
  const title = h('h1', {}, domain ? `History of ${domain}` : 'History')
  if (self.role === 'glance') {
    main.replaceChildren(title, h('p', { class: 'card empty' }, 'What happened is shown to people who have logged in.'))
    return
  }
  const open = await ask<ConditionsAnswer>('GET', '/api/conditions')
  const wrong = open.kind === 'ok' ? open.value.filter((each) => domain === null || each.domain === domain) : []
  const list = h('ol', { class: 'plain events' })
  const more = h('button', { type: 'button' }, 'Show older ones')
  const empty = h('p', { class: 'empty' }, 'Nothing has changed since this is being kept.')
  main.replaceChildren(
    h(
      'header',
      {},
      title,
      ...(domain ? [h('p', { class: 'small' }, h('a', { href: '/history' }, 'of everything'))] : []),
    ),
    ...(wrong.length > 0 ? [wrongNow(wrong)] : []),
    h('section', { class: 'card', 'aria-label': 'What happened, the newest first' }, list, empty, more),
  )
  let lastDay = ''
  let next: number | undefined
  async function load(): Promise<void> {
    const query = new URLSearchParams()
    if (domain) query.set('domain', domain)
    if (next !== undefined) query.set('before', String(next))
    const heard = await ask<HistoryAnswer>('GET', `/api/history?${query}`)
    if (heard.kind === 'no') {
      empty.textContent = `It cannot be shown: ${heard.why}.`
      return
    }
    for (const event of heard.value.events) {
      const date = day(event.atMs)
      if (date !== lastDay) list.append(h('li', { class: 'day' }, h('h2', {}, `${date}, ${zone(event.atMs)}`)))
      lastDay = date
      list.append(item(event))
    }
    empty.hidden = list.childElementCount > 0
    next = heard.value.next ?? undefined
    more.hidden = next === undefined
  }
  more.addEventListener('click', () => void load())
  await load()
}

function item({ atMs, kind, severity, domain, title, detail }: HistoryAnswer['events'][number]): HTMLElement {
  const isOver = kind.endsWith('-over') || kind.endsWith('-gone')
  const time = h(
    'time',
    { datetime: machineTime(atMs), title: momentAndUtc(atMs), class: 'dim small number' },
    timeOfDay(atMs),
  )
  return h(
    'li',
    { class: 'event' },
    time,
    badgeOf(isOver ? 'good' : (tones[severity] ?? 'unknown'), ''),
    h(
      'div',
      {},
      h(
        'div',
        {},
        h('strong', {}, title),
        domain && !title.includes(domain) ? h('span', { class: 'dim' }, ` ${domain}`) : undefined,
      ),
      detail !== '' && h('div', { class: 'dim small' }, detail),
    ),
  )
}

function wrongNow(wrong: ConditionsAnswer): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'wrong-title' },
    h('h2', { id: 'wrong-title' }, 'Wrong now'),
    h(
      'ul',
      { class: 'plain' },
      ...wrong.map(({ severity, title, detail, remedy, sinceMs }) =>
        h(
          'li',
          { class: 'event' },
          h('span', { class: 'dim small' }, ago(sinceMs)),
          badgeOf(tones[severity] ?? 'unknown', ''),
          h(
            'div',
            {},
            h('strong', {}, title),
            detail !== '' && h('div', { class: 'dim small' }, detail),
            remedy !== null && h('div', { class: 'small do' }, h('strong', {}, 'Do: '), remedy),
          ),
        ),
      ),
    ),
  )
}
