/** The state of things as it changes: one stream for the whole page, from which each view hears as long as it is shown. */
import type { Overview } from '../state/shapes.ts'
import { sentAlong } from './ask.ts'
import { whenDrawn } from './element.ts'

type Hear = (overview: Overview) => void

const listeners = new Set<Hear>()
let latest = sentAlong<Overview>('/api/overview')
let source: EventSource | undefined

/** @returns stops it */
export function listen(hear: Hear): () => void {
  listeners.add(hear)
  if (!latest) open()
  else {
    hear(latest)
    whenDrawn(open)
  }
  return () => void listeners.delete(hear)
}

function open(): void {
  if (source && source.readyState !== EventSource.CLOSED) return
  source = new EventSource('/api/events')
  source.addEventListener('overview', (event) => {
    latest = JSON.parse(event.data) as Overview
    tellOffline(false)
    for (const hear of listeners) hear(latest)
  })
  source.addEventListener('open', () => tellOffline(false))
  source.addEventListener('error', () => {
    tellOffline(true)
    // Refused, and not only broken off: the browser gives up by itself, so this tries now and then.
    if (source?.readyState === EventSource.CLOSED) setTimeout(open, 5_000)
  })
}

function tellOffline(isOffline: boolean): void {
  const line = document.querySelector<HTMLElement>('#offline')
  if (!line || line.hidden === !isOffline) return
  line.hidden = !isOffline
  line.textContent = isOffline ? 'The gateway does not answer. What is shown here is how it was.' : ''
}
