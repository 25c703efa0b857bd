/**
 * `/metrics`: what the gateway has counted, for Prometheus, by its conventions: base units, `_total` for counters. Label sets are bounded: routes by name
 * (200 at most, `gateway/figures`), backends and domains up to 200 each, the rest as `other`. Made when it is asked for.
 */
import { Counter, Gauge, Registry } from 'prom-client'
import type { BackendReport } from '../../gateway/backends/report.ts'
import type { FiguresSnapshot } from '../../gateway/figures/figures.ts'
import { coarseBoundsSeconds } from '../../gateway/figures/histogram.ts'
import { recipientStates } from '../../queue/queue.ts'
import type { Glance } from '../../watch/glance.ts'
import type { DnsServerFigures, WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'

const mostLabels = 200
const healthStates: readonly BackendReport['state'][] = ['up', 'suspect', 'slow', 'down', 'out']

export function addMetrics(
  site: Site,
  deps: Pick<WebDeps, 'figures' | 'queue' | 'version' | 'watch' | 'dnsServer'>,
): void {
  site.page('/metrics', 'glance', async (context) => {
    const registry = new Registry()
    const figures = deps.figures.snapshot()
    // Who is not known hears of states, and not where backends are.
    const isKnown = context.get('who').kind === 'person'
    fill(registry, isKnown ? figures : { ...figures, backends: withoutNames(figures.backends) }, deps)
    fillDns(registry, figures)
    const server = deps.dnsServer()
    if (server) fillDnsServer(registry, server)
    if (deps.watch) fillWatch(registry, deps.watch.glance(), isKnown)
    context.header('content-type', registry.contentType)
    return context.body(`${await registry.metrics()}${histogram(figures)}`)
  })
}

const withoutNames = (backends: readonly BackendReport[]) =>
  backends.map((backend, index) => ({ ...backend, url: `backend ${index + 1}`, address: '' }))

function fill(
  registry: Registry,
  figures: FiguresSnapshot,
  { queue, version }: Pick<WebDeps, 'queue' | 'version'>,
): void {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers })
  const counter = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Counter({ name, help, labelNames: [...labelNames], registers })

  gauge('waypost_build_info', 'Always 1; the label says which version runs.', ['version']).set({ version }, 1)
  gauge('waypost_start_time_seconds', 'When the gateway started, in seconds since 1970.').set(figures.startedMs / 1000)
  gauge('waypost_sessions', 'Senders that are connected now.').set(figures.connections)

  const messages = counter('waypost_messages_total', 'Messages by what their senders heard, and by route.', [
    'route',
    'verdict',
  ])
  const stopped = counter('waypost_messages_stopped_total', 'Messages that no backend was asked to take, by why.', [
    'why',
  ])
  for (const { why, count } of figures.messagesStopped) stopped.inc({ why }, count)
  const attempts = counter('waypost_attempts_total', 'Attempts to deliver held messages, by outcome.', [
    'route',
    'outcome',
  ])
  const bytes = counter('waypost_message_bytes_total', 'Octets of messages that were delivered or held.', ['route'])
  for (const route of figures.routes) {
    for (const [verdict, value] of Object.entries(route.messages)) messages.inc({ route: route.route, verdict }, value)
    for (const [outcome, value] of Object.entries(route.attempts)) attempts.inc({ route: route.route, outcome }, value)
    bytes.inc({ route: route.route }, route.bytes)
  }
  counter('waypost_recipients_refused_total', 'Recipients that were refused at RCPT.').inc(figures.recipientsRefused)
  counter('waypost_recipients_deferred_total', 'Recipients that were deferred at RCPT.').inc(figures.recipientsDeferred)
  counter('waypost_connections_refused_total', 'Connections of senders that came too fast or were too many.').inc(
    figures.connectionsRefused,
  )
  counter(
    'waypost_refused_after_hold_total',
    'Recipients that a backend refused after their message had been held.',
  ).inc(figures.refusedAfterHold)
  counter(
    'waypost_possible_duplicates_total',
    'Recipients of held messages that a backend took although another delivery may have reached them before.',
  ).inc(figures.possibleDuplicates)
  counter('waypost_expired_total', 'Recipients whose held message came to the end of its time.').inc(figures.expired)
  const alerts = counter('waypost_alerts_total', 'Alerts by their words.', ['alert'])
  for (const { event, count } of figures.alerts) alerts.inc({ alert: event }, count)
  const changes = counter(
    'waypost_backend_changes_total',
    "Changes of a backend address's state, by the state that it came to.",
    ['to'],
  )
  for (const { to, count } of figures.backendChanges) changes.inc({ to }, count)
  fillBackends(registry, figures)
  fillHeld(registry, figures, queue)
}

function fillBackends(registry: Registry, { backends }: FiguresSnapshot): void {
  const registers = [registry]
  const labelNames = ['backend', 'address']
  const state = new Gauge({
    name: 'waypost_backend_state',
    help: '1 for the state that an address of a backend is in, 0 for the others.',
    labelNames: [...labelNames, 'state'],
    registers,
  })
  const sessions = new Gauge({
    name: 'waypost_backend_sessions',
    help: 'Sessions that are open with it.',
    labelNames,
    registers,
  })
  const share = new Gauge({
    name: 'waypost_backend_share_ratio',
    help: 'Share of the mail of its route that goes there now.',
    labelNames,
    registers,
  })
  for (const { url, address, state: is, sessions: open, share: part } of backends.slice(0, mostLabels)) {
    const labels = { backend: url, address }
    for (const each of healthStates) state.set({ ...labels, state: each }, each === is ? 1 : 0)
    sessions.set(labels, open)
    share.set(labels, part)
  }
}

function fillHeld(registry: Registry, figures: FiguresSnapshot, queue: WebDeps['queue']): void {
  const registers = [registry]
  const { held, atMs } = figures
  new Gauge({ name: 'waypost_held_messages', help: 'Messages that are held now.', registers }).set(held?.messages ?? 0)
  new Gauge({ name: 'waypost_held_bytes', help: 'Octets of messages that are held now.', registers }).set(
    held?.bytes ?? 0,
  )
  new Gauge({
    name: 'waypost_held_oldest_age_seconds',
    help: 'Age of the oldest message that is held; 0 where none is.',
    registers,
  }).set(held?.oldestMs === undefined ? 0 : Math.max(0, (atMs - held.oldestMs) / 1000))
  const byState = new Gauge({
    name: 'waypost_held_recipients',
    help: 'Held recipients by state.',
    labelNames: ['state'],
    registers,
  })
  const byDomain = new Gauge({
    name: 'waypost_domain_held_messages',
    help: 'Held messages of the domains that hold the most.',
    labelNames: ['domain'],
    registers,
  })
  const domains = queue?.domains() ?? []
  for (const state of recipientStates)
    byState.set(
      { state },
      domains.reduce((sum, domain) => sum + (domain.byState[state] ?? 0), 0),
    )
  const most = [...domains].sort((one, other) => other.messages - one.messages)
  for (const { domain, messages } of most.slice(0, mostLabels)) byDomain.set({ domain }, messages)
  const rest = most.slice(mostLabels).reduce((sum, { messages }) => sum + messages, 0)
  if (rest > 0) byDomain.set({ domain: 'other' }, rest)
}

function fillDns(registry: Registry, { dns }: FiguresSnapshot): void {
  const registers = [registry]
  const lookups = new Counter({
    name: 'waypost_dns_lookups_total',
    help: 'Look-ups that name servers were asked for, by result.',
    labelNames: ['result'],
    registers,
  })
  for (const [result, count] of Object.entries(dns?.asked ?? {})) lookups.inc({ result }, count)
  new Counter({ name: 'waypost_dns_cache_hits_total', help: 'Look-ups that the cache answered.', registers }).inc(
    dns?.fromCache ?? 0,
  )
  new Counter({
    name: 'waypost_dns_stale_answers_total',
    help: 'Look-ups that an old answer was served for, because no server answered.',
    registers,
  }).inc(dns?.stale ?? 0)
}

/** The built-in DNS server, where there is one. */
function fillDnsServer(registry: Registry, { zones, names, tcpConnections, notifications, answers }: DnsServerFigures) {
  const registers = [registry]
  const gauge = (name: string, help: string, value: number) => new Gauge({ name, help, registers }).set(value)
  const answered = new Counter({
    name: 'waypost_dns_server_answers_total',
    help: 'Messages that came to the built-in DNS server, by what was answered or why nothing was.',
    labelNames: ['answer'],
    registers,
  })
  for (const [answer, count] of Object.entries(answers)) answered.inc({ answer }, count)
  gauge('waypost_dns_server_zones', 'Zones that the built-in DNS server serves.', zones)
  gauge('waypost_dns_server_names', 'Names in its zones.', names)
  gauge('waypost_dns_server_tcp_connections', 'Connections that are open to it.', tcpConnections)
  gauge('waypost_dns_server_notifications', 'Told to secondaries and not answered yet.', notifications)
}

/** What the checks of declared domains found, and what is wrong now. */
function fillWatch(registry: Registry, glance: Glance, isKnown: boolean): void {
  const registers = [registry]
  const gauge = (name: string, help: string, labelNames: readonly string[] = []) =>
    new Gauge({ name, help, labelNames: [...labelNames], registers })
  const findings = gauge('waypost_findings', 'Findings of the last checks of declared domains, by severity.', [
    'severity',
  ])
  for (const [severity, value] of Object.entries(glance.findings)) findings.set({ severity }, value)
  const conditions = gauge('waypost_conditions', 'What is wrong now, by severity.', ['severity'])
  for (const [severity, value] of Object.entries(glance.conditions)) conditions.set({ severity }, value)
  gauge('waypost_checked_domains', 'Domains that were checked since the start.').set(glance.checkedDomains)
  const ends = gauge(
    'waypost_certificate_expiry_timestamp_seconds',
    'When a certificate ends, in seconds since 1970: ours, and those that exchangers showed.',
    ['name'],
  )
  for (const [index, { name, endsMs }] of glance.certificates.slice(0, mostLabels).entries())
    ends.set({ name: isKnown ? name : `certificate ${index + 1}` }, endsMs / 1000)
}

/** Counts that were made elsewhere, which `prom-client` has no way to take: written by its own form. */
function histogram({ routes }: FiguresSnapshot): string {
  const name = 'waypost_cut_through_seconds'
  const lines = [
    `# HELP ${name} From the dot of the sender to our answer, for messages that were delivered meanwhile.`,
    `# TYPE ${name} histogram`,
  ]
  for (const { route, latency, latencySumSeconds } of routes) {
    const label = `route="${route.replace(/["\\\n]/g, '_')}"`
    let sum = 0
    for (const [index, bound] of [...coarseBoundsSeconds, '+Inf'].entries()) {
      sum += latency[index] ?? 0
      lines.push(`${name}_bucket{${label},le="${bound}"} ${sum}`)
    }
    lines.push(`${name}_sum{${label}} ${latencySumSeconds}`, `${name}_count{${label}} ${sum}`)
  }
  return `\n${lines.join('\n')}\n`
}
