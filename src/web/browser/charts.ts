/** Three charts of the last hours: messages, what is held, how long delivery took. `uplot` comes from our own server, when charts are shown. */
import type uPlot from 'uplot'
import type { MinutesAnswer } from '../api/overview.ts'
import { ask } from './ask.ts'
import { h } from './element.ts'
import { day, duration, minuteOfDay, number } from './words.ts'

interface Line {
  readonly label: string
  readonly colour: string
  readonly of: (minutes: MinutesAnswer) => readonly (number | null)[]
}

interface Chart {
  readonly title: string
  readonly lines: readonly Line[]
  readonly value: (value: number) => string
}

const charts: readonly Chart[] = [
  {
    title: 'Messages a minute',
    value: number,
    lines: [
      { label: 'delivered', colour: '--good', of: ({ delivered }) => delivered },
      { label: 'held', colour: '--hold', of: ({ held }) => held },
      { label: 'from the hold', colour: '--accent', of: ({ drained }) => drained },
      { label: 'refused', colour: '--bad', of: ({ refused }) => refused },
    ],
  },
  {
    title: 'Held messages',
    value: number,
    lines: [{ label: 'held', colour: '--hold', of: ({ queueMessages }) => queueMessages }],
  },
  {
    title: 'From the dot to our answer',
    value: (ms) => (ms < 1000 ? `${number(ms)} ms` : duration(ms)),
    lines: [
      { label: 'half of them', colour: '--accent', of: ({ p50Ms }) => p50Ms },
      { label: '95 of 100', colour: '--odd', of: ({ p95Ms }) => p95Ms },
    ],
  },
]

/** From its package: see `page/assets.ts`. */
const plotPath: string = '/assets/uplot.js'
const everyMs = 60_000
const height = 190

export async function showCharts(place: HTMLElement, atEnd: (run: () => void) => void): Promise<void> {
  let isOver = false
  atEnd(() => {
    isOver = true
  })
  const [{ default: Plot }, first] = await Promise.all([
    import(plotPath) as Promise<{ default: typeof uPlot }>,
    read(),
    style(),
  ])
  if (isOver) return
  const drawn = charts.map((chart) => makeChart(chart, Plot, first))
  place.replaceChildren(...drawn.map(({ element }) => element))
  for (const { draw } of drawn) draw()
  const timer = setInterval(async () => {
    const minutes = await read()
    for (const { show } of drawn) show(minutes)
  }, everyMs)
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const redraw = () => drawn.forEach(({ draw }) => void draw())
  dark.addEventListener('change', redraw)
  const observer = new ResizeObserver(() => drawn.forEach(({ fit }) => void fit()))
  observer.observe(place)
  atEnd(() => {
    clearInterval(timer)
    observer.disconnect()
    dark.removeEventListener('change', redraw)
    for (const { end } of drawn) end()
  })
}

async function read(): Promise<MinutesAnswer | undefined> {
  const heard = await ask<MinutesAnswer>('GET', '/api/minutes')
  return heard.kind === 'ok' ? heard.value : undefined
}

function style(): Promise<void> {
  if (document.querySelector('link[href="/assets/uplot.css"]')) return Promise.resolve()
  return new Promise((done) => {
    document.head.append(
      h('link', { rel: 'stylesheet', href: '/assets/uplot.css', onload: () => done(), onerror: () => done() }),
    )
  })
}

/** In pixels: a label that has no room is cut, and `900,000` needs more than `25`. */
const widthOf = (labels: readonly string[]) => 20 + 7 * Math.max(4, ...labels.map(({ length }) => length))

/** @param at  seconds */
const momentOf = (at: number) => `${day(at * 1000)} ${minuteOfDay(at * 1000)}`

/** The day stands below where it is another than that of the tick before. @param ticks  seconds */
const timeLabels = (ticks: readonly number[]) =>
  ticks.map((at, index) => {
    const before = ticks[index - 1]
    const isNewDay = before === undefined || day(before * 1000) !== day(at * 1000)
    return isNewDay ? `${minuteOfDay(at * 1000)}\n${day(at * 1000)}` : minuteOfDay(at * 1000)
  })

function makeChart({ title, lines, value }: Chart, Plot: typeof uPlot, first: MinutesAnswer | undefined) {
  const place = h('div', { class: 'chart' })
  const summary = h('p', { class: 'visually-hidden' })
  const element = h('section', { class: 'card', 'aria-label': title }, h('h2', {}, title), place, summary)
  let plot: uPlot | undefined
  let minutes = first

  const data = (): uPlot.AlignedData => {
    if (!minutes) return [[], ...lines.map(() => [])]
    const given = minutes
    return [given.atMs.map((ms) => ms / 1000), ...lines.map(({ of }) => [...of(given)])]
  }

  function draw(): void {
    plot?.destroy()
    const enough = (minutes?.atMs.length ?? 0) >= 2
    if (!enough) {
      place.replaceChildren(h('p', { class: 'empty' }, 'There is something to see after two minutes.'))
      return
    }
    place.replaceChildren()
    const css = getComputedStyle(document.documentElement)
    const colour = (name: string) => css.getPropertyValue(name).trim()
    const axis = {
      stroke: colour('--dim'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui',
    }
    plot = new Plot(
      {
        width: Math.max(200, place.clientWidth),
        height,
        // To the right there is room for half of a day, which may stand below the last moment.
        padding: [8, 34, 0, 0],
        cursor: { y: false },
        legend: { live: true },
        // Where nobody points at a moment, the last one is told.
        hooks: { setLegend: [tellLast] },
        scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
        axes: [
          { ...axis, values: (_, ticks) => timeLabels(ticks) },
          { ...axis, size: (_, labels) => widthOf(labels ?? []), values: (_, ticks) => ticks.map(value) },
        ],
        series: [
          { label: 'at', value: (_: uPlot, at: number | null) => (at === null ? '–' : momentOf(at)) },
          ...lines.map(({ label, colour: name }) => ({
            label,
            stroke: colour(name),
            width: 2,
            points: { show: false },
            value: (_: uPlot, shown: number | null) => (shown === null || shown === undefined ? '–' : value(shown)),
          })),
        ],
      },
      data(),
      place,
    )
    tellLast(plot)
    tell()
  }

  function tellLast(drawn: uPlot): void {
    const last = drawn.data[0].length - 1
    if (last >= 0 && (drawn.legend.idx === null || drawn.legend.idx === undefined))
      drawn.setLegend({ idx: last }, false)
  }

  /** The last minute in words, for who cannot see the lines. */
  function tell(): void {
    const given = minutes
    if (!given) return
    summary.textContent = `In the last minute: ${lines
      .map(({ label, of }) => {
        const last = of(given).at(-1)
        return `${label} ${last === null || last === undefined ? 'none' : value(last)}`
      })
      .join(', ')}.`
  }

  return {
    element,
    draw,
    show(next: MinutesAnswer | undefined) {
      minutes = next ?? minutes
      if (!plot) return draw()
      plot.setData(data())
      return tell()
    },
    fit: () => plot?.setSize({ width: Math.max(200, place.clientWidth), height }),
    end: () => plot?.destroy(),
  }
}
