/** `/queue`: what is held: found, looked through a page at a time, and acted upon. What is looked for stands in the address, so that it can be kept and sent. */
import type { z } from 'zod'
import type { ListedMessage, listAnswer } from '../../gateway/operate/queue-shapes.ts'
import type { SubjectsAnswer } from '../api/messages.ts'
import { ask } from './ask.ts'
import { type Act, actWords, askAndAct, type Filter } from './dialog.ts'
import { h, setText, table, timeAgo, whenDrawn } from './element.ts'
import { listen } from './live.ts'
import { mayAct, mayRead, type Stage } from './stage.ts'
import { badgeOf, type Tone } from './states.ts'
import { count, number, size, until } from './words.ts'

export const stateWords: Readonly<Record<string, readonly [tone: Tone, word: string]>> = {
  offered: ['unknown', 'coming in'],
  ready: ['hold', 'waits for a backend'],
  waiting: ['odd', 'deferred'],
  unknown: ['odd', 'unknown'],
  held: ['unknown', 'kept back'],
  'no-route': ['bad', 'no route'],
  refused: ['bad', 'refused'],
  expired: ['bad', 'expired'],
  'set-aside': ['bad', 'set aside'],
  corrupt: ['bad', 'damaged'],
}

const kinds = [
  ['recipient', 'Recipient'],
  ['sender', 'Sender'],
  ['domain', 'Domain'],
  ['id', 'Id'],
] as const

const pageSize = 50
const firstRows = 20

export function queuePage(stage: Stage): void {
  const { main, self } = stage
  const query = new URLSearchParams(location.search)
  const total = h('span', { class: 'dim' })
  const results = h('div')
  main.replaceChildren(
    h('div', { class: 'row apart' }, h('h1', {}, 'Held mail'), total),
    h('section', { class: 'card', 'aria-label': 'Search' }, searchForm(query, stage)),
    results,
  )
  stage.atEnd(
    listen(({ held }) => {
      total.textContent =
        held.messages === 0 ? 'nothing is held' : `${count(held.messages, 'message')}, ${size(held.octets)}`
    }),
  )
  if (self.role === 'glance') {
    results.replaceChildren(
      h('p', { class: 'card empty' }, 'Whose mail is held is shown to people who have logged in.'),
    )
    return
  }
  void showResults(stage, results, query)
}

function searchForm(query: URLSearchParams, { go }: Stage): HTMLFormElement {
  const found = kinds.find(([kind]) => query.has(kind))?.[0] ?? 'recipient'
  const kind = h(
    'select',
    { id: 'kind' },
    ...kinds.map(([value, word]) => h('option', { value, selected: value === found }, word)),
  )
  const text = h('input', {
    id: 'text',
    type: 'search',
    autocapitalize: 'none',
    spellcheck: 'false',
    placeholder: 'an address, or @example.com',
    maxlength: 400,
  })
  text.value = query.get(found) ?? ''
  const state = h(
    'select',
    { id: 'state' },
    h('option', { value: '' }, 'any'),
    ...Object.entries(stateWords).map(([value, [, word]]) =>
      h('option', { value, selected: query.get('states') === value }, word),
    ),
  )
  const form = h(
    'form',
    { class: 'filters', role: 'search' },
    h('div', { class: 'field' }, h('label', { for: 'kind' }, 'Look in'), kind),
    h('div', { class: 'field wide' }, h('label', { for: 'text' }, 'For'), text),
    h('div', { class: 'field' }, h('label', { for: 'state' }, 'State'), state),
    h('button', { class: 'primary' }, 'Search'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const next = new URLSearchParams()
    if (text.value.trim() !== '') next.set(kind.value, text.value.trim())
    if (state.value !== '') next.set('states', state.value)
    go(next.size > 0 ? `/queue?${next}` : '/queue')
  })
  return form
}

async function showResults(stage: Stage, place: HTMLElement, query: URLSearchParams): Promise<void> {
  const asked = new URLSearchParams(query)
  asked.set('limit', String(pageSize))
  const heard = await ask<z.output<typeof listAnswer>>('GET', `/api/queue?${asked}`)
  if (heard.kind === 'no') {
    place.replaceChildren(h('p', { class: 'card empty', role: 'alert' }, `That did not work: ${heard.why}.`))
    return
  }
  const { messages, next } = heard.value
  const isFiltered = [...kinds.map(([kind]) => kind), 'states'].some((key) => query.has(key))
  if (messages.length === 0 && next === null) {
    place.replaceChildren(
      h(
        'p',
        { class: 'card empty' },
        isFiltered ? 'No held message matches.' : 'Nothing is held: all mail has reached its backend.',
      ),
    )
    return
  }
  const chosen = new Set<string>()
  const acts = mayAct(stage.self) ? actBar(stage, query, chosen, isFiltered) : undefined
  const list = messageTable(messages, acts && { chosen, changed: acts.show })
  const page = h('nav', { class: 'row', 'aria-label': 'Pages of the list' })
  if (query.has('after')) page.append(h('a', { class: 'button', href: hrefOf(query, undefined) }, 'To the beginning'))
  if (next !== null) page.append(h('a', { class: 'button', href: hrefOf(query, next), rel: 'next' }, 'Next page'))
  if (mayRead(stage.self)) whenDrawn(() => void showSubjects(list, messages))
  place.replaceChildren(
    h('section', { class: 'card', 'aria-label': 'Messages' }, ...(acts ? [acts.element] : []), list, page),
  )
  acts?.show()
}

/** Asked for behind the first picture: each has to be read out of its message. */
async function showSubjects(list: HTMLElement, messages: readonly ListedMessage[]): Promise<void> {
  if (messages.length === 0) return
  const ids = messages.map(({ id }) => id)
  const heard = await ask<SubjectsAnswer>('GET', `/api/subjects?ids=${ids.join(',')}`)
  if (heard.kind === 'no') return
  for (const place of list.querySelectorAll<HTMLElement>('[data-subject-of]'))
    setText(place, heard.value.subjects[place.dataset.subjectOf ?? ''] || '(no subject)')
}

function hrefOf(query: URLSearchParams, after: string | undefined): string {
  const next = new URLSearchParams(query)
  if (after === undefined) next.delete('after')
  else next.set('after', after)
  return next.size > 0 ? `/queue?${next}` : '/queue'
}

function messageTable(
  messages: readonly ListedMessage[],
  choosing: { readonly chosen: Set<string>; readonly changed: () => void } | undefined,
): HTMLElement {
  const { element, body } = table('Held messages, the oldest first', [
    ...(choosing ? ['Choose'] : []),
    'Message',
    'From',
    'To',
    'State',
    { text: 'Size', number: true },
    'Next try',
  ])
  const rowOf = ({ id, from, recipients, recipientCount, receivedMs, size: octets }: ListedMessage) => {
    const [first] = recipients
    const [tone, word] = stateWords[first?.state ?? ''] ?? ['unknown', first?.state ?? '']
    const more = recipientCount > 1 ? ` and ${number(recipientCount - 1)} more` : ''
    const box =
      choosing &&
      h('input', {
        type: 'checkbox',
        'aria-label': `Choose the message from ${from || 'nobody'} to ${first?.to ?? ''}`,
      })
    box?.addEventListener('change', () => {
      if (box.checked) choosing?.chosen.add(id)
      else choosing?.chosen.delete(id)
      choosing?.changed()
    })
    return h(
      'tr',
      {},
      box && h('td', { class: 'pick' }, box),
      h(
        'th',
        { scope: 'row' },
        h('a', { href: `/messages/${id}`, class: 'mono' }, id.slice(0, 10)),
        h('div', {}, timeAgo(receivedMs, { class: 'dim small' })),
      ),
      h(
        'td',
        { class: 'long wide', 'data-label': 'From' },
        from || 'the null sender',
        h('div', { class: 'dim small', 'data-subject-of': id }),
      ),
      h('td', { class: 'long wide', 'data-label': 'To' }, `${first?.to ?? ''}${more}`),
      h(
        'td',
        {},
        badgeOf(tone, word),
        first?.reply && first.state !== 'ready' ? h('div', { class: 'dim small' }, first.reply) : undefined,
      ),
      h('td', { class: 'number', 'data-label': 'Size' }, size(octets)),
      h(
        'td',
        { 'data-label': 'Next try' },
        first?.nextMs ? until(first.nextMs) : first?.state === 'ready' ? 'when one is up' : '–',
      ),
    )
  }
  body.append(...messages.slice(0, firstRows).map(rowOf))
  // Below what a window shows: it is drawn sooner without them.
  if (messages.length > firstRows) whenDrawn(() => body.append(...messages.slice(firstRows).map(rowOf)))
  return element
}

/** Without a choice, all that match are meant, and the button says so. */
function actBar(stage: Stage, query: URLSearchParams, chosen: Set<string>, isFiltered: boolean) {
  const whom = h('span', { class: 'dim' })
  const buttons = (Object.keys(actWords) as Act[]).map((act) =>
    h(
      'button',
      { type: 'button', class: act === 'remove' ? 'danger' : '', onclick: () => void run(act) },
      actWords[act].button,
    ),
  )
  const element = h('div', { class: 'row acts', role: 'group', 'aria-label': 'What to do' }, whom, ...buttons)

  const filter = (): Filter => {
    if (chosen.size > 0) return { ids: [...chosen] }
    const said: Record<string, unknown> = {}
    for (const [kind] of kinds) if (query.has(kind) && kind !== 'id') said[kind] = query.get(kind)
    if (query.has('states')) said.states = query.get('states')?.split(',')
    return said
  }
  async function run(act: Act): Promise<void> {
    const done = await askAndAct(act, filter())
    if (done === undefined) return
    stage.say(done)
    stage.go(location.pathname + location.search)
  }
  return {
    element,
    show() {
      whom.textContent =
        chosen.size > 0 ? `${count(chosen.size, 'message')} chosen:` : isFiltered ? 'All that match:' : 'All held mail:'
      // An id finds what begins so, and is no filter by itself.
      const isById = query.has('id') && chosen.size === 0
      for (const button of buttons) button.disabled = isById
    },
  }
}
