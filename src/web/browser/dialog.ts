/** Asks before something is done to mail: what it is, to how many, and then how far it is. Nothing is done before the count was shown and agreed to. */
import type { z } from 'zod'
import type { actAnswer } from '../../gateway/operate/queue-shapes.ts'
import type { CountAnswer } from '../api/queue.ts'
import { ask } from './ask.ts'
import { h } from './element.ts'
import { count, number } from './words.ts'

export type Act = 'retry' | 'hold' | 'release' | 'route' | 'remove'
export type Filter = Readonly<Record<string, unknown>>

export const actWords: Readonly<
  Record<Act, { readonly button: string; readonly title: string; readonly says: string; readonly done: string }>
> = {
  retry: {
    button: 'Retry now',
    title: 'Try again now',
    says: 'A backend is asked at once, where one can be.',
    done: 'tried again',
  },
  hold: {
    button: 'Keep back',
    title: 'Keep back',
    says: 'Nothing is tried until somebody lets it go.',
    done: 'kept back',
  },
  release: { button: 'Let go', title: 'Let go', says: 'What was kept back goes on its way again.', done: 'let go' },
  route: {
    button: 'Send elsewhere…',
    title: 'Send another way',
    says: 'It goes to this backend or route instead, once and for all of what is chosen here.',
    done: 'sent another way',
  },
  remove: {
    button: 'Remove…',
    title: 'Remove for good',
    says: 'What is removed is deleted, and nobody is told: not the sender, not the recipient.',
    done: 'removed',
  },
}

/** @returns what was done, in words; undefined where it was not */
export async function askAndAct(act: Act, filter: Filter): Promise<string | undefined> {
  const words = actWords[act]
  const counted = await ask<CountAnswer>('POST', '/api/queue/count', { filter })
  const ways = act === 'route' ? await ask<{ choices: string[] }>('GET', '/api/queue/ways') : undefined
  if (counted.kind === 'no') return tell(words.title, counted.why)
  if (ways?.kind === 'no') return tell(words.title, ways.why)
  const { messages, isExact, beforeMs } = counted.value
  if (messages === 0) return tell(words.title, 'Nothing that is held matches any more.')

  const many = `${isExact ? '' : 'about '}${count(messages, 'message')}`
  const choice =
    ways &&
    h('select', { id: 'way', required: true }, ...ways.value.choices.map((each) => h('option', { value: each }, each)))
  const bar = h('progress', { max: messages, value: 0, 'aria-label': 'How far it is', hidden: true })
  const said = h('p', { role: 'status', class: 'dim' }, '')
  const go = h(
    'button',
    { type: 'button', class: `primary${act === 'remove' ? ' danger' : ''}` },
    `${words.title}: ${many}`,
  )
  const stop = h('button', { type: 'button', autofocus: act === 'remove' }, 'Leave it')
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, `${words.title}: ${many}?`),
    h('p', {}, words.says),
    choice && h('div', { class: 'field' }, h('label', { for: 'way' }, 'Where to'), choice),
    bar,
    said,
    h('div', { class: 'row' }, stop, go),
  )
  document.body.append(dialog)
  dialog.showModal()
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let isStopped = false
  const end = (result: string | undefined) => {
    dialog.close()
    dialog.remove()
    resolve(result)
  }
  stop.addEventListener('click', () => {
    isStopped = true
    if (bar.hidden) end(undefined)
  })
  dialog.addEventListener('cancel', (event) => {
    isStopped = true
    if (!bar.hidden) event.preventDefault()
    else end(undefined)
  })
  go.addEventListener('click', async () => {
    go.disabled = true
    bar.hidden = false
    stop.textContent = 'Stop here'
    const body = {
      act,
      filter: { receivedBeforeMs: beforeMs, ...filter },
      messages,
      isAbout: !isExact,
      ...(choice ? { to: choice.value } : {}),
    }
    const done = await run(
      body,
      () => isStopped,
      (sum) => {
        bar.value = sum
        said.textContent = `${number(sum)} of ${many}`
      },
    )
    if (done.kind === 'done') return end(`${count(done.messages, 'message')} ${words.done}${done.left}`)
    said.textContent = `That did not work: ${done.why}.`
    stop.textContent = 'Close'
    bar.hidden = true
  })
  return promise
}

type Done =
  | { readonly kind: 'done'; readonly messages: number; readonly left: string }
  | { readonly kind: 'no'; readonly why: string }

/** Piece by piece, until the end or until somebody stops it. */
async function run(body: Filter, isStopped: () => boolean, show: (messages: number) => void): Promise<Done> {
  let messages = 0
  let left = 0
  let why = ''
  let after: string | undefined
  do {
    const heard = await ask<z.output<typeof actAnswer>>('POST', '/api/queue/act', {
      ...body,
      ...(after === undefined ? {} : { after }),
    })
    if (heard.kind === 'no') return heard
    messages += heard.value.messages
    left += heard.value.leftCount
    why ||= heard.value.left[0]?.why ?? ''
    after = heard.value.next ?? undefined
    show(messages)
  } while (after !== undefined && !isStopped())
  return { kind: 'done', messages, left: left > 0 ? `; ${number(left)} left as they were: ${why}` : '' }
}

async function tell(title: string, why: string): Promise<undefined> {
  const close = h('button', { type: 'button', autofocus: true }, 'Close')
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, title),
    h('p', {}, why),
    h('div', { class: 'row' }, close),
  )
  document.body.append(dialog)
  const { promise, resolve } = Promise.withResolvers<undefined>()
  dialog.addEventListener('close', () => {
    dialog.remove()
    resolve(undefined)
  })
  close.addEventListener('click', () => dialog.close())
  dialog.showModal()
  return promise
}
