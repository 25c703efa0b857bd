/**
 * Waypost as a library: what other programs may call. Everything else is ours to change.
 */
export { systemClock } from './base/clock.ts'
export { systemDoor } from './base/door.ts'
export { createHostLookup, type HostLookup } from './base/host-lookup.ts'
export { type Fields, type Log, silentLog } from './base/log.ts'
export { systemRandom } from './base/random.ts'
export { type Checked, type Checker, type CheckerOptions, checkDomain, createChecker } from './checks/check-domain.ts'
export type { CollectorDeps } from './checks/collect/collector.ts'
export type { Facts } from './checks/facts.ts'
export type { Finding, NotChecked, Outcome, Severity } from './checks/finding.ts'
export { type CheckOptions, defaultCheckOptions } from './checks/options.ts'
export { publishedReportSchema, type ReportDocument, reportDocument } from './checks/report/document.ts'
export { type DomainReport, domainReport } from './checks/report/domain-report.ts'
export type { Context, Part, Rule } from './checks/rule.ts'
export { allRules } from './checks/rules/all.ts'
export { runRules } from './checks/run-rules.ts'
export { type Loaded, type LoadedConfig, loadConfig } from './config/load.ts'
export { publishedSchema } from './config/schema.ts'
export { formatProblems, type Problem } from './config/source.ts'
export { type HostName, type ParsedName, parseName } from './dns/name.ts'
export { createResolver, type Resolver } from './dns/resolver.ts'
export type { ChosenResolverOptions, ResolverOptions } from './dns/resolver-options.ts'
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
