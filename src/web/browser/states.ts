/** States as they are shown: a word, a colour and a shape of its own each, so that no one of the three is needed to tell them apart. */
import type { BackendNow, DomainNow } from '../state/shapes.ts'
import { h, svg } from './element.ts'

export type Tone = 'good' | 'odd' | 'hold' | 'bad' | 'unknown'

export const domainWord: Readonly<Record<DomainNow['state'], string>> = {
  flows: 'mail flows',
  degraded: 'degraded',
  holding: 'holding',
  failing: 'failing',
}

export const domainTone: Readonly<Record<DomainNow['state'], Tone>> = {
  flows: 'good',
  degraded: 'odd',
  holding: 'hold',
  failing: 'bad',
}

export const backendWord: Readonly<Record<BackendNow['state'], string>> = {
  up: 'up',
  suspect: 'suspect',
  slow: 'slow',
  down: 'down',
  out: 'out of service',
}

export const backendTone: Readonly<Record<BackendNow['state'], Tone>> = {
  up: 'good',
  suspect: 'odd',
  slow: 'odd',
  down: 'bad',
  out: 'unknown',
}

/** Circle with a tick, triangle, square with two bars, octagon with a cross, ring. */
export function shape(tone: Tone): SVGElement {
  const sign = { class: 'sign', 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' }
  const parts: Readonly<Record<Tone, () => SVGElement[]>> = {
    good: () => [svg('circle', { cx: 10, cy: 10, r: 9 }), svg('path', { d: 'M6 10.4 8.8 13 14 7.4', ...sign })],
    odd: () => [svg('path', { d: 'M10 1.8 19 18H1z' }), svg('path', { d: 'M10 8v4.2M10 15.2v.1', ...sign })],
    hold: () => [
      svg('rect', { x: 1.5, y: 1.5, width: 17, height: 17, rx: 3.5 }),
      svg('path', { d: 'M7.4 6.6v6.8M12.6 6.6v6.8', ...sign }),
    ],
    bad: () => [
      svg('path', { d: 'M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z' }),
      svg('path', { d: 'm7 7 6 6m0-6-6 6', ...sign }),
    ],
    unknown: () => [
      svg('circle', { cx: 10, cy: 10, r: 8, fill: 'none', stroke: 'currentColor', 'stroke-width': 2 }),
      svg('path', { d: 'M6.5 10h7', stroke: 'currentColor', 'stroke-width': 2, 'stroke-linecap': 'round' }),
    ],
  }
  return svg(
    'svg',
    { viewBox: '0 0 20 20', fill: 'currentColor', 'aria-hidden': 'true', focusable: 'false' },
    ...parts[tone](),
  )
}

/** Shape and word. */
export interface Badge {
  readonly element: HTMLElement
  show(tone: Tone, word: string): void
}

export function badge(): Badge {
  const element = h('span', { class: 'state' })
  let shown = ''
  return {
    element,
    show(tone, word) {
      if (shown === `${tone} ${word}`) return
      shown = `${tone} ${word}`
      element.className = `state ${tone}`
      element.replaceChildren(shape(tone), ...(word === '' ? [] : [h('span', {}, word)]))
    },
  }
}

export function badgeOf(tone: Tone, word: string): HTMLElement {
  const made = badge()
  made.show(tone, word)
  return made.element
}
