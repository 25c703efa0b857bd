/**
 * Which domains came, went or are other than before, for what a reload says (`cli/serve/reload.ts`). It pauses now and then, because mail is being
 * carried meanwhile.
 */

import { isDeepStrictEqual } from 'node:util'
import { nextTurn } from '../base/turn-end.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import type { Route } from '../routing/backend.ts'
import { declaredName, type MailDomain } from '../routing/destinations.ts'
import { isSamePolicy } from '../routing/hold-policy.ts'
import type { Loaded } from './load.ts'

/** Names as they are declared, `example.com` and `*.example.com`, in the order of the file. */
export interface DomainChanges {
  readonly came: readonly string[]
  readonly went: readonly string[]
  readonly changed: readonly string[]
}

type Declared = Pick<Loaded, 'settings' | 'publishing'>

/** Domains compared between two pauses; each takes some microseconds. */
const betweenPauses = 500

export async function domainChanges(before: Declared, after: Declared): Promise<DomainChanges> {
  const [old, now] = [byName(before), byName(after)]
  const isSameRoute = createSameRoute()
  const came: string[] = []
  const changed: string[] = []
  let compared = 0
  for (const [name, domain] of now) {
    const known = old.get(name)
    if (known === undefined) came.push(name)
    else if (!isSameDomain(known, domain, isSameRoute)) changed.push(name)
    compared++
    if (compared % betweenPauses === 0) await nextTurn()
  }
  return { came, went: [...old.keys()].filter((name) => !now.has(name)), changed }
}

interface Whole {
  readonly mail: MailDomain | undefined
  readonly declaration: Declaration | undefined
}

function byName({ settings, publishing }: Declared): Map<string, Whole> {
  const found = new Map<string, Whole>()
  for (const mail of settings.destinations.domains) found.set(declaredName(mail), { mail, declaration: undefined })
  for (const declaration of publishing.declarations)
    found.set(declaration.domain, { mail: found.get(declaration.domain)?.mail, declaration })
  return found
}

type SameRoute = (one: Route, other: Route) => boolean

function isSameDomain(one: Whole, other: Whole, isSameRoute: SameRoute): boolean {
  return isSameMail(one.mail, other.mail, isSameRoute) && isDeepStrictEqual(one.declaration, other.declaration)
}

function isSameMail(one: MailDomain | undefined, other: MailDomain | undefined, isSameRoute: SameRoute): boolean {
  if (!one || !other) return one === other
  return (
    isSameRoute(one.route, other.route) &&
    isSamePolicy(one.hold, other.hold) &&
    isDeepStrictEqual(one.recipients, other.recipients) &&
    one.addresses.size === other.addresses.size &&
    [...one.addresses].every(([key, route]) => {
      const there = other.addresses.get(key)
      return there !== undefined && isSameRoute(route, there)
    })
  )
}

/** Very many domains share a route, so what it says is put together once. What it is called is for the log alone. */
function createSameRoute(): SameRoute {
  const texts = new Map<Route, string>()
  const textOf = (route: Route) => {
    const known = texts.get(route)
    if (known !== undefined) return known
    const entries = route.entries.map(({ backend, preference, weight }) => `${preference} ${weight} ${backend.key}`)
    const text = [route.balance, route.onDefer, ...entries].join('\n')
    texts.set(route, text)
    return text
  }
  return (one, other) => textOf(one) === textOf(other)
}
