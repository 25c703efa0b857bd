/**
 * An exchanger that nobody knows, and is nearly the host of a provider: one letter wrong loses the mail of a whole domain. Used by checks,
 * and by `waypost plan` before such a host is published. Pure.
 */
import { editDistance } from '../../base/nearest.ts'
import { type HostName, parseName } from '../../dns/name.ts'
import { catalogue } from './catalogue.ts'
import type { IndexedTemplate } from './host-index.ts'
import type { Provider } from './provider.ts'

export interface Typo {
  readonly meant: HostName
  readonly provider: Provider
  /** `missing-final-dot`: the zone's own name was added to it (RFC 1035 §5.1), as in `mx1.forwardemail.net.example.com`. */
  readonly how: 'misspelt' | 'missing-final-dot'
}

/**
 * @param host  an exchanger; @param from  another catalogue than ours
 * @returns the host that was probably meant; undefined for one that a provider has, and for one that is like none. What is found is a
 * likeness and no proof: say "did you mean", and look whether the host answers.
 */
export function nearestTypo(host: HostName, from = catalogue()): Typo | undefined {
  if (from.index.match(host).length > 0) return undefined
  // A zone that adds its name has two labels at least.
  for (let dot = host.lastIndexOf('.', host.lastIndexOf('.') - 1); dot > 0; dot = host.lastIndexOf('.', dot - 1)) {
    const meant = asName(host.slice(0, dot))
    const match = meant && from.index.match(meant)[0]
    if (match && !match.isLeftover) return { meant, provider: match.provider, how: 'missing-final-dot' }
  }
  let best: Typo | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const each of from.index.templates) {
    const found = misspelt(host, each)
    if (found === undefined || found.distance >= bestDistance) continue
    // With the letters before it the suffix must be a host of the provider.
    const match = from.index.match(found.meant).find(({ provider }) => provider === each.provider)
    if (match === undefined || match.isLeftover) continue
    bestDistance = found.distance
    best = {
      meant: found.meant,
      provider: from.index.match(found.meant)[0]?.provider ?? each.provider,
      how: 'misspelt',
    }
  }
  return best
}

/** Compares what does not differ between accounts; the labels before it are taken as they are. */
function misspelt(host: HostName, { template }: IndexedTemplate): { meant: HostName; distance: number } | undefined {
  const { suffix, head } = template
  const cut = head === undefined ? 0 : headEnd(host, labels(suffix))
  if (cut === undefined) return undefined
  const tail = host.slice(cut)
  const most = mostEdits(suffix)
  const distance = editDistance(tail, suffix, most)
  if (distance > most || distance === 0) return undefined
  const meant = asName(`${host.slice(0, cut)}${suffix}`)
  return meant && { meant, distance }
}

/** Where the last `count` labels begin; undefined where there is nothing before them. */
function headEnd(host: HostName, count: number): number | undefined {
  let at = host.length
  for (let left = count; left > 0; left--) {
    at = host.lastIndexOf('.', at - 1)
    if (at <= 0) return undefined
  }
  return at + 1
}

/** In a short name one letter makes another company. */
function mostEdits(name: string): number {
  if (name.length < 10) return 0
  return name.length < 20 ? 1 : 2
}

const labels = (name: string) => name.split('.').length

function asName(text: string): HostName | undefined {
  const parsed = parseName(text)
  return parsed.kind === 'name' ? parsed.name : undefined
}
