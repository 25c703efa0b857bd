/** `/messages/…`: one held message: who, to whom, what was tried; its text, so that mail can be read while the mailbox server is down. */
import type { ShowAnswer } from '../../gateway/operate/queue-shapes.ts'
import type { TextAnswer } from '../api/messages.ts'
import { ask } from './ask.ts'
import { type Act, actWords, askAndAct } from './dialog.ts'
import { h, table } from './element.ts'
import { stateWords } from './queue-page.ts'
import { mayAct, mayRead, type Stage } from './stage.ts'
import { badgeOf } from './states.ts'
import { ago, count, machineTime, moment, momentAndUtc, number, size, until } from './words.ts'

export async function messagePage(stage: Stage): Promise<void> {
  const { main, name: id, self } = stage
  const heard = await ask<ShowAnswer>('GET', `/api/messages/${encodeURIComponent(id)}`)
  const back = h('p', { class: 'small' }, h('a', { href: '/queue' }, '← Held mail'))
  if (heard.kind === 'no') {
    main.replaceChildren(back, h('h1', {}, 'This message cannot be shown'), h('p', {}, `${heard.why}.`))
    return
  }
  const message = heard.value
  const from = `from ${message.from || 'the null sender'}`
  const title = h('h1', {}, `${from[0]?.toUpperCase()}${from.slice(1)}`)
  document.title = `Message ${from} · Waypost`
  main.replaceChildren(
    h('header', {}, back, title, h('p', { class: 'dim small' }, h('span', { class: 'mono' }, id), ` ${from}`)),
    ...(mayAct(self) ? [actRow(stage, id)] : []),
    envelope(message),
    recipients(message),
    attempts(message),
  )
  const text = h('section', { class: 'card', 'aria-labelledby': 'text-title' }, h('h2', { id: 'text-title' }, 'Text'))
  main.append(text)
  if (mayRead(self)) await showText(id, text, message, title)
  else text.append(h('p', { class: 'dim' }, 'Mail is read by people with the role read or operate.'))
}

function actRow({ say, go }: Stage, id: string): HTMLElement {
  const run = async (act: Act) => {
    const done = await askAndAct(act, { ids: [id] })
    if (done === undefined) return
    say(done)
    go(act === 'remove' ? '/queue' : location.pathname)
  }
  return h(
    'div',
    { class: 'row', role: 'group', 'aria-label': 'What to do' },
    ...(Object.keys(actWords) as Act[]).map((act) =>
      h(
        'button',
        {
          type: 'button',
          class: act === 'remove' ? 'danger' : act === 'retry' ? 'primary' : '',
          onclick: () => void run(act),
        },
        actWords[act].button,
      ),
    ),
    h(
      'a',
      { class: 'button', href: `/api/messages/${encodeURIComponent(id)}/eml`, download: `${id}.eml` },
      'Download .eml',
    ),
  )
}

const time = (atMs: number) =>
  h('time', { datetime: machineTime(atMs), title: momentAndUtc(atMs) }, `${moment(atMs)} (${ago(atMs)})`)

function facts(...pairs: readonly (readonly [string, string | Node | undefined])[]): HTMLElement {
  return h(
    'dl',
    { class: 'facts' },
    ...pairs.flatMap(([name, value]) => (value === undefined ? [] : [h('dt', {}, name), h('dd', {}, value)])),
  )
}

function envelope({
  from,
  receivedMs,
  expiresMs,
  size: octets,
  client,
  proof,
  isBeingAttempted,
}: ShowAnswer): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'envelope-title' },
    h('h2', { id: 'envelope-title' }, 'Envelope'),
    facts(
      ['From', from || '<> (a notice: nobody is told of it)'],
      ['Came in', time(receivedMs)],
      [
        'From whom',
        client
          ? `${client.address}, who said ${client.hello}${client.tls ? `, by ${client.tls}` : ', without TLS'}`
          : 'ourselves',
      ],
      ['Sender is', proof],
      ['Size', size(octets)],
      [
        'Is kept until',
        h('time', { datetime: machineTime(expiresMs), title: momentAndUtc(expiresMs) }, moment(expiresMs)),
      ],
      ['Just now', isBeingAttempted ? 'a backend is being asked to take it' : undefined],
    ),
  )
}

function recipients({ recipients: list, recipientCount }: ShowAnswer): HTMLElement {
  const { element, body } = table('Recipients', [
    'Recipient',
    'State',
    'Way',
    { text: 'Attempts', number: true },
    'Next try',
    'Last answer',
  ])
  for (const { to, state, way, isChosen, attempts: tries, nextMs, reply, host } of list) {
    const [tone, word] = stateWords[state] ?? ['unknown', state]
    body.append(
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, to),
        h('td', {}, badgeOf(tone, word)),
        h('td', { class: 'long', 'data-label': 'Way' }, way, isChosen ? ' (chosen by a person)' : undefined),
        h('td', { class: 'number', 'data-label': 'Attempts' }, number(tries)),
        h(
          'td',
          { 'data-label': 'Next try' },
          nextMs === null ? (state === 'ready' ? 'when one is up' : '–') : until(nextMs),
        ),
        h(
          'td',
          { class: 'long' },
          // What no server said is Waypost's own word, which the sender has not heard.
          host === null && reply !== null
            ? h('span', { class: 'dim' }, `Waypost noted${tries === 0 ? ' when it was held' : ''}: `)
            : undefined,
          reply === null ? '' : `${reply}${host === null ? '' : ` (${host})`}`,
        ),
      ),
    )
  }
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'to-title' },
    h('h2', { id: 'to-title' }, count(recipientCount, 'recipient')),
    element,
  )
}

function attempts({ attempts: list }: ShowAnswer): HTMLElement {
  const section = h(
    'section',
    { class: 'card', 'aria-labelledby': 'attempts-title' },
    h('h2', { id: 'attempts-title' }, 'Attempts'),
  )
  if (list.length === 0) {
    section.append(h('p', { class: 'dim' }, 'None yet since it is held.'))
    return section
  }
  const { element, body } = table('Attempts, the last one first', ['When', 'Backend', 'Outcome', 'Answer'])
  for (const { atMs, backend, outcome, text } of list.toReversed())
    body.append(
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, h('time', { datetime: machineTime(atMs), title: momentAndUtc(atMs) }, moment(atMs))),
        h('td', { class: 'long', 'data-label': 'Backend' }, backend ?? 'none answered'),
        h('td', { 'data-label': 'Outcome' }, outcome),
        h('td', { class: 'long' }, text),
      ),
    )
  section.append(element)
  return section
}

/** As its author wrote it, where that can be read; in the reader's zone, as all other times here. */
function sentAt(date: string): string | Node | undefined {
  if (date === '') return undefined
  const atMs = Date.parse(date)
  return Number.isNaN(atMs) ? date : time(atMs)
}

/** @param title  becomes what the message is about */
async function showText(id: string, place: HTMLElement, { headers }: ShowAnswer, title: HTMLElement): Promise<void> {
  const heard = await ask<TextAnswer>('GET', `/api/messages/${encodeURIComponent(id)}/text`)
  if (heard.kind === 'no') {
    place.append(h('p', { role: 'alert' }, `It cannot be shown: ${heard.why}.`))
  } else {
    const { subject, from, to, cc, date, text, hasHtml, attachments, isPart } = heard.value
    title.textContent = subject || '(no subject)'
    document.title = `${title.textContent} · Waypost`
    place.append(
      facts(
        ['Subject', h('strong', {}, subject || '(none)')],
        ['From', from],
        ['To', to],
        ['Cc', cc || undefined],
        ['Date', sentAt(date)],
      ),
      h('hr', { class: 'thin' }),
      ...body(id, text, hasHtml),
      ...(attachments.length > 0
        ? [
            h('h3', {}, count(attachments.length, 'attachment')),
            h(
              'ul',
              { class: 'plain' },
              ...attachments.map(({ name, type, octets }) =>
                h('li', {}, name, h('span', { class: 'dim small' }, ` ${type}, ${size(octets)}`)),
              ),
            ),
          ]
        : []),
      ...(isPart ? [h('p', { class: 'dim' }, 'It is longer than what is shown here; the file has all of it.')] : []),
    )
  }
  if (headers) place.append(h('details', {}, h('summary', {}, 'Header'), h('pre', { tabindex: 0 }, headers.join('\n'))))
}

const linesOf = (text: string) =>
  text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 70)), 0)

/** The text goes before the HTML, which has less to hide in. */
function body(id: string, text: string | null, hasHtml: boolean): readonly Node[] {
  const frame = () => {
    const made = h('iframe', {
      class: 'mail',
      // No scripts, no forms, no place of its own: nothing in it can do anything, here or elsewhere.
      sandbox: '',
      referrerpolicy: 'no-referrer',
      src: `/api/messages/${encodeURIComponent(id)}/html`,
      title: 'The message, without remote content',
    })
    // The page cannot ask how tall it is, so its own text says about how many lines it has.
    if (text !== null) made.style.height = `clamp(16rem, ${4 + 1.6 * linesOf(text)}rem, 92vh)`
    return made
  }
  if (text !== null && !hasHtml) return [h('pre', { class: 'mail', tabindex: 0 }, text)]
  if (text === null && hasHtml) return [frame()]
  if (text === null) return [h('p', { class: 'dim' }, 'It has no text.')]
  const details = h('details', {}, h('summary', {}, 'As its author laid it out, without remote content'))
  details.addEventListener('toggle', () => {
    if (details.open && !details.querySelector('iframe')) details.append(frame())
  })
  return [h('pre', { class: 'mail', tabindex: 0 }, text), details]
}
