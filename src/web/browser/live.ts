/**
 * The state of things as it changes: one stream for the whole page, from which each view hears as long as it is shown. The view of a domain has that
 * domain in the stream too.
 */
import type { DomainLive, Overview } from '../state/shapes.ts'
import { sentAlong } from './ask.ts'
import { whenDrawn } from './element.ts'

type Hear = (overview: Overview) => void

const listeners = new Set<Hear>()
let ofDomain: { readonly name: string; readonly hear: (live: DomainLive) => void } | undefined
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

/** @returns stops it */
export function listenDomain(name: string, hear: (live: DomainLive) => void): () => void {
  ofDomain = { name, hear }
  whenDrawn(open)
  return () => {
    ofDomain = undefined
    // The view that comes next may be of a domain too.
    whenDrawn(open)
  }
}

function open(): void {
  const path = ofDomain ? `/api/events?domain=${encodeURIComponent(ofDomain.name)}` : '/api/events'
  const wanted = new URL(path, location.href).href
  if (source && source.readyState !== EventSource.CLOSED) {
    if (source.url === wanted) return
    source.close()
  }
  source = new EventSource(wanted)
  source.addEventListener('overview', (event) => {
    latest = JSON.parse(event.data) as Overview
    tellOffline(false)
    for (const hear of listeners) hear(latest)
  })
  source.addEventListener('domain', (event) => {
    const live = JSON.parse(event.data) as DomainLive
    if (live.now.name === ofDomain?.name) ofDomain.hear(live)
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
