/** Makes elements. Text is always text here: nothing of anybody's becomes markup, which the page's policy (trusted types) would forbid as well. */

import { ago, machineTime, momentAndUtc } from './words.ts'

type Child = Node | string | number | undefined | false
type Given = Readonly<Record<string, string | number | boolean | ((event: Event) => void) | undefined>>

/** `on…` listens; true is an attribute without a value; undefined and false are left out. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  given: Given = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  prepare(element, given, children)
  return element
}

export function svg(name: string, given: Given = {}, ...children: readonly Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  prepare(element, given, children)
  return element
}

function prepare(element: Element, given: Given, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children) {
    if (child === undefined || child === false) continue
    element.append(child instanceof Node ? child : String(child))
  }
}

/** After the words are there to read: the next frame has them, and the one behind it begins when they were drawn. Where nobody looks no frame is drawn, and it is at once. */
export function whenDrawn(run: () => void): void {
  if (document.hidden) run()
  else requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(run)))
}

/** How long ago, with the moment itself for who points at it. */
export function timeAgo(atMs: number, given: Given = {}): HTMLTimeElement {
  const element = h('time', { ...given, datetime: machineTime(atMs) }, ago(atMs))
  const tell = () => {
    element.title = momentAndUtc(atMs)
  }
  element.addEventListener('pointerenter', tell, { once: true })
  return element
}

/** Changes the text where it is another one, so that a screen reader is not told twice and a selection stays. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Rows that stay the same elements while their values change: focus and selection stay where they are. */
export function keyed<Item, Row extends Element>(
  parent: Element,
  keyOf: (item: Item) => string,
  make: (item: Item) => { readonly row: Row; readonly update: (item: Item) => void },
): (items: readonly Item[]) => void {
  const known = new Map<string, { readonly row: Row; readonly update: (item: Item) => void }>()
  return (items) => {
    const keys = new Set(items.map(keyOf))
    for (const [key, { row }] of known) {
      if (keys.has(key)) continue
      row.remove()
      known.delete(key)
    }
    for (const [index, item] of items.entries()) {
      const key = keyOf(item)
      const entry = known.get(key) ?? make(item)
      known.set(key, entry)
      entry.update(item)
      const there = parent.children[index]
      if (there !== entry.row) parent.insertBefore(entry.row, there ?? null)
    }
  }
}

/** A table with a name for those who hear it, and its head. Cells below get `data-label` from `cell`, for narrow screens. */
export function table(caption: string, heads: readonly (string | { readonly text: string; readonly number: true })[]) {
  const body = h('tbody')
  const cells = heads.map((head) =>
    typeof head === 'string' ? h('th', { scope: 'col' }, head) : h('th', { scope: 'col', class: 'number' }, head.text),
  )
  const element = h(
    'table',
    { class: 'stack' },
    h('caption', { class: 'visually-hidden' }, caption),
    h('thead', {}, h('tr', {}, ...cells)),
    body,
  )
  return { element: h('div', { class: 'scroll' }, element), body }
}
