/**
 * All the I/O of `waypost check`: one domain → `Facts`. Shared by the domains of a run, so that what they have in common (the tree above them,
 * their exchangers, the resolver's answers) is asked once.
 *
 * MX → at once: the exchangers with their sessions, the zones, and everything beside the mail → what silence means here
 */
import { within } from '../../base/clock.ts'
import type { HostName } from '../../dns/name.ts'
import { isAtOrBelow, nameFromHost, nameText, parentOf, type WireName } from '../../dns/wire-name.ts'
import type { ExchangerFacts, Facts, MtaStsFacts, NamedView, TlsRptFacts, Vantage, WildcardFacts } from '../facts.ts'
import { type CheckOptions, defaultCheckOptions } from '../options.ts'
import { plainName } from '../read-facts.ts'
import type { Part } from '../rule.ts'
import { createExchange, type ExchangeDeps } from './exchange.ts'
import { collectExchangers, type Target, targetsOf } from './exchangers.ts'
import { createDirects, Inquiry, type InquiryDeps, notExamined, type Progress } from './inquiry.ts'
import { lookAround } from './look-around.ts'
import { withoutOwnFaults } from './own-faults.ts'
import { collectMtaSts, collectTlsRpt } from './policy.ts'
import { below } from './questions.ts'
import { collectDkim, collectDmarc, seeBelow } from './senders.ts'
import { createSessions } from './sessions.ts'
import { collectSpf } from './spf.ts'
import { createTree, type Located } from './tree.ts'
import { createVantagePoint } from './vantage.ts'
import { createViews } from './views.ts'
import { collectZones, type Zones, zoneUnknownOf } from './zones.ts'

export interface Collector {
  /** Resolves within `timeoutMs` and a little; never rejects for what others do. */
  collect(domain: HostName, parts: ReadonlySet<Part>, manner?: Manner): Promise<Facts>
  /** Lets go of sockets. */
  close(): void
}

/** What is other for one domain of a run. */
export interface Manner {
  /** In place of what the options say: more may be asked of the domains of one's own. */
  readonly probe?: CheckOptions['probe']
  /** Called with each question and each connection. */
  readonly progress?: (progress: Progress) => void
  /** Called with each part that has come to its end, in words of ours, safe to print: for a person who looks on. */
  readonly onStep?: (words: string) => void
}

/** What collecting needs from outside: time, chance, the way to the network, and what is known of hosts. */
export interface CollectorDeps extends ExchangeDeps {
  /** Whether a host is a provider's that many domains share: it is asked politely, whatever the options say. */
  readonly isShared?: (host: HostName) => boolean
}

/** @param options  those that differ from `defaultCheckOptions` */
export function createCollector(options: Partial<CheckOptions>, deps: CollectorDeps): Collector {
  const run = new Run({ ...defaultCheckOptions, ...options }, deps)
  return { collect: (domain, parts, manner) => run.collect(domain, parts, manner), close: () => run.close() }
}

class Run {
  readonly #options: CheckOptions
  readonly #deps: CollectorDeps
  readonly #exchange
  readonly #vantage
  readonly #views
  readonly #shared: InquiryDeps
  readonly #tree
  /** By the zone that they are below. */
  readonly #foreignNames = new Map<WireName, WireName>()
  readonly #sessions

  constructor(options: CheckOptions, deps: CollectorDeps) {
    this.#options = options
    this.#deps = deps
    this.#exchange = createExchange(deps)
    this.#vantage = createVantagePoint(options, {
      ...deps,
      exchange: this.#exchange,
      resolvers: () => this.#views.servers(),
    })
    const believesAd = async () => ['trusted', 'remote'].includes(await this.#vantage.validation())
    const viewOptions = {
      resolvers: options.resolvers,
      timeoutMs: options.dnsTimeoutMs,
      pauseMs: options.servfailPauseMs,
      believesAd,
    }
    this.#views = createViews(viewOptions, this.#exchange, deps.clock)
    this.#shared = { views: this.#views, exchange: this.#exchange, directs: createDirects(deps.clock) }
    this.#tree = createTree(deps.clock, deps.random)
    this.#sessions = createSessions(options, deps)
  }

  close(): void {
    this.#exchange.close()
  }

  async collect(domain: HostName, parts: ReadonlySet<Part>, manner: Manner = {}): Promise<Facts> {
    const { clock } = this.#deps
    const probe = manner.probe ?? this.#options.probe
    const startedAtMs = clock.now()
    const startMs = clock.monotonicMs()
    const inquiry = new Inquiry(this.#options, this.#shared, clock, manner.progress)
    const name = nameFromHost(domain)
    const { onStep = () => {} } = manner
    const mx = await inquiry.view(name, 'MX')
    const isThere = mx.kind !== 'no-such-name'
    const targets = targetsOf(domain, mx)
    onStep(mxStep(mx, targets))
    const told = async <Value>(work: Promise<Value>, words: string): Promise<Value> => {
      const value = await work
      onStep(words)
      return value
    }
    const [mail, beside, found] = await Promise.all([
      this.#mail(domain, targets, { parts, inquiry, probe, onStep }),
      isThere ? told(this.#beside(domain, parts, inquiry), besideStep) : nothingBeside(name),
      isThere && parts.has('name-servers')
        ? told(this.#zones(name, targets, parts, inquiry), 'every name server of the zones was asked by itself')
        : noZones,
    ])
    const whole: Facts = {
      domain,
      startedAtMs,
      tookMs: 0,
      examination: this.#examination(parts, probe),
      vantage: blind,
      mx,
      ...mail,
      exchangers: mail.exchangers.map((exchanger) => ({ ...exchanger, ...zoneOf(exchanger, found) })),
      ...beside,
      zone: found.located?.apex,
      zoneUnknown: found.located && zoneUnknownOf(found.located, 'the domain'),
      zones: found.zones,
      spent: inquiry.spent,
    }
    // What was silent to the end still deserves a look at ourselves, for a moment.
    const untilMs = Math.max(inquiry.untilMs, clock.monotonicMs() + lookAroundMs)
    const look = () => within(lookAround(whole, this.#vantage), untilMs, clock)
    const vantage = (await inquiry.during('our own way out', look)) ?? blind
    return { ...withoutOwnFaults(whole, vantage), tookMs: clock.monotonicMs() - startMs }
  }

  #examination(parts: ReadonlySet<Part>, probe: CheckOptions['probe']): Facts['examination'] {
    const { smtpPort, isPrivate, families } = this.#options
    return { probe: parts.has('smtp') ? probe : 'none', smtpPort, isPrivate, families }
  }

  async #mail(
    domain: HostName,
    targets: readonly Target[],
    {
      parts,
      inquiry,
      probe,
      onStep,
    }: {
      readonly parts: ReadonlySet<Part>
      readonly inquiry: Inquiry
      readonly probe: CheckOptions['probe']
      readonly onStep: (words: string) => void
    },
  ) {
    const probeOf = (host: HostName) => (probe === 'full' && this.#deps.isShared?.(host) ? 'polite' : probe)
    const name = nameFromHost(domain)
    const work = { domain, parts, inquiry, sessions: this.#sessions, probeOf, onStep }
    const [a, aaaa, exchangers] = await Promise.all([
      inquiry.view(name, 'A'),
      inquiry.view(name, 'AAAA'),
      collectExchangers(targets, work),
    ])
    return { a, aaaa, exchangers }
  }

  async #beside(domain: HostName, parts: ReadonlySet<Part>, inquiry: Inquiry) {
    const name = nameFromHost(domain)
    const without = nothingBeside(name)
    const hasSenders = parts.has('senders')
    const [wildcard, spf, dkim, dmarc, bimi, mtaSts, tlsRpt] = await Promise.all([
      parts.has('wildcard') ? this.#wildcard(name, inquiry) : without.wildcard,
      // A null MX says nothing about sending, so SPF is read for it as well (RFC 7505 §4.2).
      hasSenders ? collectSpf(name, inquiry) : without.spf,
      hasSenders ? collectDkim(name, inquiry) : without.dkim,
      hasSenders ? collectDmarc(domain, inquiry) : without.dmarc,
      hasSenders ? seeBelow(name, ['default', '_bimi'], inquiry) : without.bimi,
      parts.has('mta-sts') ? collectMtaSts(domain, inquiry, this.#deps) : without.mtaSts,
      parts.has('tlsrpt') ? collectTlsRpt(domain, inquiry) : without.tlsRpt,
    ])
    return { wildcard, spf, dkim, dmarc, bimi, mtaSts, tlsRpt }
  }

  async #wildcard(name: WireName, inquiry: Inquiry): Promise<WildcardFacts> {
    const random = below(name, this.#randomLabel())
    if (!random) {
      const why = notExamined('not-applicable', 'No name fits below the domain.')
      return { name, mx: why, txt: why }
    }
    const [mx, txt, origin] = await Promise.all([
      inquiry.view(random, 'MX'),
      inquiry.view(random, 'TXT'),
      this.#origin(name, random, inquiry),
    ])
    return { name: random, mx, txt, ...origin }
  }

  /** Whether the domain has records of its own: below a name that exists, a wildcard above it answers for nothing (RFC 4592 §3.3.1). */
  async #origin(
    name: WireName,
    random: WireName,
    inquiry: Inquiry,
  ): Promise<Pick<WildcardFacts, 'address' | 'beside'>> {
    const beside = below(parentOf(name), this.#randomLabel())
    const mx = await inquiry.view(name, 'MX')
    if (mx.kind === 'answer') {
      const isBelow = (await inquiry.view(random, 'MX')).kind === 'answer'
      if (!beside || !isBelow) return {}
      return { beside: { name: beside, type: 'MX', view: await inquiry.view(beside, 'MX') } }
    }
    if (mx.kind !== 'no-data') return {}
    const type = (await inquiry.view(name, 'A')).kind === 'answer' ? 'A' : 'AAAA'
    if ((await inquiry.view(name, type)).kind !== 'answer') return {}
    const address: NamedView<'A' | 'AAAA'> = { name: random, type, view: await inquiry.view(random, type) }
    if (!beside || address.view.kind !== 'answer') return { address }
    return { address, beside: { name: beside, type, view: await inquiry.view(beside, type) } }
  }

  #randomLabel = () => `waypost-${this.#deps.random.bytes(6).toString('hex')}`

  async #zones(domain: WireName, targets: readonly Target[], parts: ReadonlySet<Part>, inquiry: Inquiry) {
    const located = await this.#tree.locate(domain, inquiry)
    const foreign = this.#foreignName(domain)
    const zones = await collectZones({ domain, located, targets, parts, foreign }, this.#tree, inquiry)
    return { ...zones, located }
  }

  /** Below a name that the zone's servers have nothing to do with; the same for the whole run, so that a server is asked once. */
  #foreignName(domain: WireName): WireName {
    const { knownExchanger } = this.#options
    const known = knownExchanger && nameFromHost(knownExchanger)
    const base = known && !isAtOrBelow(known, domain) ? known : nameFromHost('example' as HostName)
    const foreign = this.#foreignNames.get(base) ?? below(base, this.#randomLabel())
    if (!foreign) throw new Error('a label of ours fits before a name of ours')
    this.#foreignNames.set(base, foreign)
    return foreign
  }
}

const besideStep = 'SPF, DKIM, DMARC, MTA-STS and TLS reports were looked up'

function mxStep(mx: Facts['mx'], targets: readonly Target[]): string {
  if (mx.kind === 'no-such-name') return 'the domain does not exist'
  if (mx.kind === 'failed' || mx.kind === 'not-examined') return 'its MX records could not be looked up'
  const names = targets.slice(0, 5).map(({ name, preferences }) => `${nameText(name)} (${preferences.join(', ')})`)
  const more = targets.length > names.length ? ` and ${targets.length - names.length} more` : ''
  return names.length === 0
    ? 'its MX record says that it takes no mail'
    : `its exchangers are ${names.join(', ')}${more}`
}

const lookAroundMs = 3_000

const blind: Vantage = {
  ipv4: 'not-examined',
  ipv6: 'not-examined',
  port25: 'not-examined',
  validation: 'not-examined',
}

const noZones: Zones & { readonly located: Located | undefined } = {
  zones: [],
  located: undefined,
  placeOf: () => undefined,
}

function zoneOf({ name }: ExchangerFacts, zones: Zones): Pick<ExchangerFacts, 'zone' | 'zoneUnknown'> {
  const place = zones.placeOf(name)
  return { zone: place?.apex, zoneUnknown: place && zoneUnknownOf(place, plainName(name)) }
}

/** What is told where nothing is asked. */
function nothingBeside(name: WireName) {
  const why = notExamined('not-wanted', 'It was left out, or the domain does not exist.')
  return {
    wildcard: { name, mx: why, txt: why } satisfies WildcardFacts,
    spf: { txt: why, lookups: [], cost: undefined },
    dkim: { parent: why, selectors: why },
    dmarc: { walk: [], discovery: why, reportConsents: [] },
    bimi: why,
    mtaSts: { txt: why, a: why, aaaa: why, https: why } satisfies MtaStsFacts,
    tlsRpt: { txt: why, destinations: [] } satisfies TlsRptFacts,
  }
}
