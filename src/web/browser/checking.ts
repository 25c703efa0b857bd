/** Runs one check before the reader's eyes: its steps as they come, then what was found. Used by the pages `/check` and `/domains/…`. */
import type { Found } from '../check/found.ts'
import { ask } from './ask.ts'
import { h } from './element.ts'
import { findings } from './findings.ts'
import type { Stage } from './stage.ts'
import { badgeOf, type Tone } from './states.ts'
import { ago, count } from './words.ts'

const tones: Readonly<Record<string, Tone>> = {
  arrives: 'good',
  'way-in-order': 'good',
  'takes-no-mail': 'good',
  'arrives-in-part': 'odd',
  'does-not-arrive': 'bad',
  'no-such-domain': 'bad',
}

/** Where no headline says it, the worst that was found does. */
function toneOf({ state, findings: found }: Found): Tone {
  const has = (severity: string) => found.some((each) => each.severity === severity)
  return tones[state] ?? (has('error') ? 'bad' : has('warning') ? 'odd' : 'unknown')
}

/** @param place  gets the steps, and then the report */
export async function check(
  domain: string,
  place: HTMLElement,
  { say, atEnd }: Pick<Stage, 'say' | 'atEnd'>,
): Promise<Found | undefined> {
  const started = await ask<{ id: string; domain: string }>('POST', '/api/checks', { domain })
  if (started.kind === 'no') {
    place.replaceChildren(h('p', { role: 'alert', class: 'bad' }, `That did not work: ${started.why}.`))
    return undefined
  }
  const { id } = started.value
  const steps = h('ol', { class: 'steps', 'aria-live': 'polite' })
  const busy = h('p', { class: 'dim', role: 'status' }, `Looking at ${started.value.domain}…`)
  place.replaceChildren(busy, steps)
  const ended = Promise.withResolvers<'done' | 'failed'>()
  const source = new EventSource(`/api/checks/${id}/events`)
  atEnd(() => source.close())
  source.addEventListener('step', (event) => void steps.append(h('li', {}, JSON.parse(event.data) as string)))
  source.addEventListener('done', () => ended.resolve('done'))
  source.addEventListener('failed', () => ended.resolve('failed'))
  // It ends by itself; what breaks off before is asked for once more by what follows.
  source.addEventListener('error', () => source.readyState === EventSource.CLOSED && ended.resolve('failed'))
  const end = await ended.promise
  source.close()
  const found = end === 'done' ? await ask<Found>('GET', `/api/checks/${id}`) : undefined
  if (found?.kind !== 'ok') {
    busy.replaceChildren('The check came to no end.')
    return undefined
  }
  say(found.value.headline)
  busy.remove()
  place.replaceChildren(
    ...report(found.value, id),
    h(
      'details',
      {},
      h('summary', { class: 'small' }, `What was done, in ${count(steps.childElementCount, 'step')}`),
      steps,
    ),
  )
  return found.value
}

/** @param id  null: the watch looked, which keeps no report */
export function report(found: Found, id: string | null): readonly Node[] {
  return [
    h('div', { class: 'verdict' }, badgeOf(toneOf(found), ''), h('p', {}, found.headline)),
    h(
      'p',
      { class: 'dim small' },
      `${id === null ? 'The watch looked' : 'Looked at'} ${ago(found.atMs)}. `,
      id !== null &&
        h('a', { href: `/api/checks/${id}/report`, target: '_blank', rel: 'noopener' }, 'The whole report as a page'),
    ),
    ...findings(found),
  ]
}
