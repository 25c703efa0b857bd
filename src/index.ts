/**
 * Waypost as a library: what other programs may call. Everything else is ours to change.
 */
export { systemClock } from './base/clock.ts'
export { systemDoor } from './base/door.ts'
export { type Fields, type Log, silentLog } from './base/log.ts'
export { systemRandom } from './base/random.ts'
export { type Loaded, type LoadedConfig, loadConfig } from './config/load.ts'
export { publishedSchema } from './config/schema.ts'
export { formatProblems, type Problem } from './config/source.ts'
export { type HostName, type ParsedName, parseName } from './dns/name.ts'
export type { ResolverOptions } from './dns/options.ts'
export { createResolver, type Resolver } from './dns/resolver.ts'
export { createGateway, type Gateway, type GatewayDeps } from './gateway/gateway.ts'
export type { Budgets, GatewaySettings, Limits, Listener } from './gateway/settings.ts'
export { type Mailbox, type ParsedMailbox, parseMailbox } from './mail/address.ts'
export type { Backend, BackendAddress, BackendOptions, Route, RouteEntry } from './routing/backend.ts'
export type { Destination, Destinations, MailDomain } from './routing/destinations.ts'
export {
  type Candidate,
  type ExchangerDeps,
  type ExchangerOptions,
  type Exchangers,
  lookupExchangers,
} from './routing/exchangers.ts'
export { createDestinations } from './routing/find-destination.ts'
export { createBackend, defaultBackendOptions, parseBackend } from './routing/parse-backend.ts'
