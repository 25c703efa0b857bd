/**
 * A plan → `GatewaySettings`. Called by `load.ts`. A plan may come from another thread in pieces, so this is where equal things
 * become one object again; it pauses now and then, because mail is being carried meanwhile.
 */
import type { HostName } from '../dns/name.ts'
import type { GatewaySettings } from '../gateway/settings.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import type { Route } from '../routing/backend.ts'
import type { MailDomain } from '../routing/destinations.ts'
import { createDestinations } from '../routing/find-destination.ts'
import type { Plan, PlannedDomain, PlannedMail } from './plan.ts'

export interface Assembled {
  readonly settings: GatewaySettings
  /** Of the domains that declare records. */
  readonly declarations: readonly Declaration[]
}

export interface AssembleDeps {
  readonly leftRecently: (domain: HostName) => boolean
  /** Lets others run; called every few hundred domains. */
  readonly pause: () => Promise<void>
}

/** Work between two pauses; a domain takes about a microsecond, a recipient a tenth of one. */
const costBetweenPauses = 20_000

export async function assemble(
  plan: Omit<Plan, 'domains'>,
  domains: AsyncIterable<readonly PlannedDomain[]> | Iterable<readonly PlannedDomain[]>,
  deps: AssembleDeps,
): Promise<Assembled> {
  const { routes } = plan
  const declarations: Declaration[] = []
  const mailDomains: MailDomain[] = []
  let cost = 0
  for await (const chunk of domains) {
    for (const domain of chunk) {
      cost += 10
      if (domain.declaration) declarations.push(domain.declaration)
      if (domain.mail) {
        const { recipients, addresses } = domain.mail
        mailDomains.push(mailDomain(domain, domain.mail, routes))
        cost += (typeof recipients === 'string' ? 0 : recipients.length) + addresses.length
      }
      if (cost < costBetweenPauses) continue
      cost = 0
      await deps.pause()
    }
  }
  await deps.pause()
  const { outboundFrom, ...general } = plan.general
  const { hostname } = general
  const settings = {
    ...general,
    destinations: createDestinations(mailDomains, { hostname, leftRecently: deps.leftRecently }),
    postmaster: routeAt(routes, plan.postmaster),
    outbound: {
      via: plan.outboundVia === undefined ? undefined : routeAt(routes, plan.outboundVia),
      from: outboundFrom,
    },
  }
  return { settings, declarations }
}

function mailDomain({ name, subdomains }: PlannedDomain, planned: PlannedMail, routes: readonly Route[]): MailDomain {
  return {
    name,
    subdomains,
    route: routeAt(routes, planned.route),
    recipients: typeof planned.recipients === 'string' ? planned.recipients : new Set(planned.recipients),
    addresses: planned.addresses.length === 0 ? noAddresses : addressesOf(planned, routes),
    hold: planned.hold,
  }
}

const noAddresses: ReadonlyMap<string, Route> = new Map()

const addressesOf = (planned: PlannedMail, routes: readonly Route[]) =>
  new Map(planned.addresses.map(([key, route]) => [key, routeAt(routes, route)]))

function routeAt(routes: readonly Route[], index: number): Route {
  const route = routes[index]
  if (!route) throw new TypeError(`no route ${index} in the plan`)
  return route
}
