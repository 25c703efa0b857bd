/**
 * The picture of the flow: senders → this exchanger → backends → what becomes of it. Ways on which mail moves now are moving. From left to right where there
 * is room, from top to bottom on a phone. The figures beside it say the same in words, so for a screen reader it is one sentence.
 */
import type { BackendNow, Overview } from '../state/shapes.ts'
import { h, svg } from './element.ts'
import { backendTone, backendWord, type Tone } from './states.ts'
import { count, number } from './words.ts'

interface Box {
  readonly title: string
  readonly small: string
  readonly tone: Tone | undefined
}

interface Way {
  readonly from: readonly [column: number, row: number]
  readonly to: readonly [column: number, row: number]
  readonly kind: 'live' | 'still' | 'cut'
  readonly tone?: Tone
}

const mostBackends = 4

export function flowPicture() {
  const element = h('div')
  let drawn = ''
  let last: Overview | undefined
  // By the window and not by the element, whose width is known only after all of the page was laid out.
  const narrow = matchMedia('(max-width: 45rem)')
  const again = () => last && show(last)
  narrow.addEventListener('change', again)

  function show(overview: Overview): void {
    last = overview
    const isNarrow = narrow.matches
    const { columns, ways, sentence } = picture(overview)
    const key = JSON.stringify([isNarrow, columns, ways])
    if (key === drawn) return
    drawn = key
    element.replaceChildren(draw(columns, ways, sentence, isNarrow))
  }
  return { element, show, end: () => narrow.removeEventListener('change', again) }
}

function picture({
  backends: all,
  backendCount: counted,
  perSecond,
  lastMinute,
  connections,
  held,
  hostname,
}: Overview) {
  // The box for what nobody in particular gets is no news.
  const backends = all.filter(({ url }) => !/^maildir:.*\/postmaster$/.test(url))
  const backendCount = counted - (all.length - backends.length)
  const shown = backends.slice(0, backendCount > mostBackends ? mostBackends - 1 : mostBackends)
  const rest = backendCount - shown.length
  const serves = (backend: BackendNow) => backend.state === 'up' || backend.state === 'suspect'
  const isDelivering = perSecond.delivered + perSecond.drained > 0
  const boxes: Box[] = shown.map((backend) => ({
    title: shortName(backend.url),
    small: serves(backend) ? `${backendWord[backend.state]}${partText(backend)}` : backendWord[backend.state],
    tone: backendTone[backend.state],
  }))
  if (rest > 0) boxes.push({ title: `${number(rest)} more`, small: 'backends', tone: undefined })
  const columns: readonly (readonly Box[])[] = [
    [{ title: 'Senders', small: `${number(lastMinute)} in the last minute`, tone: undefined }],
    [{ title: shortName(hostname), small: `takes ${number(perSecond.taken)} a second`, tone: undefined }],
    boxes,
    [
      {
        title: `${number(perSecond.delivered + perSecond.drained)} a second`,
        small: 'delivered',
        tone: isDelivering ? 'good' : undefined,
      },
      { title: number(held.messages), small: 'held here', tone: held.messages > 0 ? 'hold' : undefined },
      {
        title: `${number(perSecond.refused)} a second`,
        small: 'refused',
        tone: perSecond.refused > 0 ? 'bad' : undefined,
      },
    ],
  ]
  const ways: Way[] = [{ from: [0, 0], to: [1, 0], kind: perSecond.taken + perSecond.refused > 0 ? 'live' : 'still' }]
  shown.forEach((backend, row) => {
    const isUsed = serves(backend) && backend.share > 0
    ways.push({
      from: [1, 0],
      to: [2, row],
      kind: !serves(backend) ? 'cut' : isUsed && isDelivering ? 'live' : 'still',
    })
    if (serves(backend)) ways.push({ from: [2, row], to: [3, 0], kind: isUsed && isDelivering ? 'live' : 'still' })
  })
  if (perSecond.held > 0 || held.messages > 0)
    ways.push({ from: [1, 0], to: [3, 1], kind: perSecond.held > 0 ? 'live' : 'still', tone: 'hold' })
  if (perSecond.refused > 0) ways.push({ from: [1, 0], to: [3, 2], kind: 'live', tone: 'bad' })
  const sentence = `${count(lastMinute, 'message')} came in the last minute; ${count(connections, 'sender')} ${connections === 1 ? 'is' : 'are'} connected now. ${number(perSecond.taken)} messages a second come in, ${number(perSecond.delivered + perSecond.drained)} are delivered, ${number(perSecond.refused)} refused; ${number(held.messages)} are held. ${shown.filter(serves).length} of ${backendCount} backends take mail.`
  return { columns, ways, sentence }
}

/** The end of a name tells more than its beginning. */
function shortName(name: string): string {
  const bare = name.replace(/^(?:smtps?|lmtp):\/*/, '').replace(/^maildir:.*\//, 'maildir …/')
  return bare.length > 24 ? `…${bare.slice(-23)}` : bare
}

const box = { width: 184, height: 54 }
const pitch = 66
const wide = 1080
const narrowWidth = 360

function draw(
  columns: readonly (readonly Box[])[],
  ways: readonly Way[],
  sentence: string,
  isNarrow: boolean,
): SVGElement {
  const parts = isNarrow ? drawDown(columns, ways) : drawAcross(columns, ways)
  return svg(
    'svg',
    { viewBox: `0 0 ${isNarrow ? narrowWidth : wide} ${parts.height}`, role: 'img', 'aria-label': sentence },
    ...parts.shapes,
  )
}

/**
 * The backends stand above two lanes of their own, on which mail goes past them: into the hold, or back to its sender.
 */
function drawAcross(columns: readonly (readonly Box[])[], ways: readonly Way[]) {
  const backends = columns[2]?.length ?? 0
  const block = Math.max(1, backends) * pitch
  const height = block + 2 * pitch - (pitch - box.height) + 2
  const middle = (block - pitch) / 2
  const place = (column: number, row: number): readonly [x: number, y: number] => {
    const x = (column * (wide - box.width)) / (columns.length - 1)
    if (column === 2) return [x, row * pitch]
    if (column === 3) return [x, row === 0 ? middle : block + (row - 1) * pitch]
    return [x, middle]
  }
  const lines = ways.map(({ from, to, kind, tone }) => {
    const [fx, fy] = place(...from)
    const [tx, ty] = place(...to)
    const isPast = from[0] === 1 && to[0] === 3
    const start: readonly [number, number] = isPast
      ? [fx + box.width / 2, fy + box.height]
      : [fx + box.width, fy + box.height / 2]
    const end: readonly [number, number] = [tx, ty + box.height / 2]
    const path = isPast ? bend(start, end) : curve(start, end)
    return svg('path', { d: path, class: `way ${kind}${tone ? ` ${tone}` : ''}` })
  })
  const boxes = columns.flatMap((column, index) =>
    column.map((one, row) => boxAt(one, ...place(index, row), box.width)),
  )
  return { height, shapes: [...lines, ...boxes] }
}

/** One below the other; the backends are a group, so that no line crosses a name. */
function drawDown(columns: readonly (readonly Box[])[], ways: readonly Way[]) {
  const shapes: SVGElement[] = []
  const gap = 10
  const arrow = 34
  let y = 2
  columns.forEach((column, index) => {
    if (column.length === 0) return
    if (index > 0) {
      const here = ways.filter(({ to }) => to[0] === index)
      const kind = here.some((way) => way.kind === 'live')
        ? 'live'
        : here.length > 0 && here.every((way) => way.kind === 'cut')
          ? 'cut'
          : 'still'
      shapes.push(svg('path', { d: `M${narrowWidth / 2} ${y + 3}V${y + arrow - 3}`, class: `way ${kind}` }))
      y += arrow
    }
    const across = index === 3 ? 3 : Math.min(2, column.length)
    const width = across === 1 ? 220 : (narrowWidth - 16 - (across - 1) * gap) / across
    const rows = Math.ceil(column.length / across)
    const top = y
    column.forEach((one, at) => {
      const inRow = Math.min(across, column.length - Math.floor(at / across) * across)
      const begin = (narrowWidth - inRow * width - (inRow - 1) * gap) / 2
      shapes.push(
        boxAt(one, begin + (at % across) * (width + gap), top + Math.floor(at / across) * (box.height + gap), width),
      )
    })
    y += rows * (box.height + gap) - gap
  })
  return { height: y + 2, shapes }
}

function boxAt({ title, small, tone }: Box, x: number, y: number, width: number): SVGElement {
  const middle = x + width / 2
  const room = Math.floor((width - 14) / 7.4)
  const cut = (text: string) => (text.length > room ? `…${text.slice(1 - room)}` : text)
  const isTight = title.length * 9.4 > width - 14
  return svg(
    'g',
    { class: tone ?? '' },
    svg('rect', { x, y, width, height: box.height, rx: 12, class: `box ${tone ?? ''}` }),
    svg(
      'text',
      { x: middle, y: y + 23, 'text-anchor': 'middle', class: isTight ? 'tight' : '' },
      isTight ? cut(title) : title,
    ),
    svg('text', { x: middle, y: y + 42, 'text-anchor': 'middle', class: 'small' }, small),
  )
}

function curve([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string {
  const half = (x2 - x1) / 2
  return `M${x1} ${y1}C${x1 + half} ${y1} ${x2 - half} ${y2} ${x2} ${y2}`
}

/** Down first, then across: below the backends. */
const bend = ([x1, y1]: readonly [number, number], [x2, y2]: readonly [number, number]): string =>
  `M${x1} ${y1}V${y2 - 20}Q${x1} ${y2} ${x1 + 20} ${y2}H${x2}`

/** Of several routes it is in the table: half of one may be all of another. */
const partText = ({ share, shares = [] }: BackendNow) =>
  shares.every((each) => each.share === share) ? `, ${Math.round(share * 100)} %` : ''
