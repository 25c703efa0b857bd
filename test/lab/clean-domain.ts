/**
 * `example.lab` in the lab's internet, with everything right: three name servers, two exchangers, DANE, MTA-STS, TLSRPT, SPF, DMARC, reverse
 * names. A test changes what its scenario is about, and examines it.
 */

import type { TestContext } from 'node:test'
import { systemDoor } from '../../src/base/door.ts'
import { systemRandom } from '../../src/base/random.ts'
import { type Collector, type CollectorDeps, createCollector } from '../../src/checks/collect/collector.ts'
import type { Facts } from '../../src/checks/facts.ts'
import type { CheckOptions } from '../../src/checks/options.ts'
import type { Part } from '../../src/checks/rule.ts'
import { type Issued, keyDigest, makeCertificate } from '../unit/certificate-maker.ts'
import { type ExchangerWords, type LabExchanger, startExchanger } from './exchanger.ts'
import { steadyClock } from './fast-clock.ts'
import { type LabInternet, startInternet } from './internet/internet.ts'
import type { LabFault, LabZoneWords } from './internet/words.ts'
import { freeAddress, freePort } from './loopback.ts'
import { labHost } from './names.ts'
import { type PolicyHost, type PolicyWords, startPolicyHost } from './policy-host.ts'

export interface CleanWords {
  /** Changes the zone of the domain. */
  readonly zone?: (zone: LabZoneWords, at: LabPlaces) => LabZoneWords
  /** More zones, or others in place of those that are there. */
  readonly zones?: (at: LabPlaces) => Readonly<Record<string, LabZoneWords>>
  /** Changes mx1, mx2; null: it does not run. */
  readonly exchangers?: readonly (Partial<ExchangerWords> | null | undefined)[]
  readonly policy?: Partial<PolicyWords>
  readonly options?: Partial<CheckOptions>
  readonly deps?: Partial<CollectorDeps>
  readonly validates?: boolean
  /** What the resolver does wrong. */
  readonly resolverFault?: LabFault
}

export interface LabPlaces {
  readonly mx1: string
  readonly mx2: string
  readonly web: string
  readonly root: Issued
  readonly leaf1: Issued
  readonly leaf2: Issued
}

export interface CleanDomain {
  readonly internet: LabInternet
  readonly exchangers: readonly (LabExchanger | undefined)[]
  readonly policyHost: PolicyHost
  readonly places: LabPlaces
  readonly collector: Collector
  /** @param parts  default: all of them */
  examine(domain?: string, parts?: readonly Part[]): Promise<Facts>
}

export const everyPart: readonly Part[] = [
  ...(['name-servers', 'dnssec', 'wildcard', 'reverse', 'registrable', 'smtp'] as const),
  ...(['tlsa', 'caa', 'mta-sts', 'tlsrpt', 'senders', 'blocklists'] as const),
]

export const labPolicy = 'version: STSv1\nmode: enforce\nmx: mx1.example.lab\nmx: mx2.example.lab\nmax_age: 2419200\n'

export async function startCleanDomain(t: TestContext, words: CleanWords = {}): Promise<CleanDomain> {
  const root = makeCertificate({ name: 'Root of the lab', isCa: true })
  const middle = makeCertificate({ name: 'Intermediate of the lab', isCa: true, issuer: root })
  const leaf = (name: string) => makeCertificate({ name, issuer: middle, keyNumber: name.length })
  const [mx1, mx2, web] = [freeAddress(), freeAddress(), freeAddress()]
  const places = { mx1, mx2, web, root, leaf1: leaf('mx1.example.lab'), leaf2: leaf('mx2.example.lab') }
  const smtpPort = await freePort(mx1)
  const starts = (
    [
      [mx1, 'mx1.example.lab', places.leaf1],
      [mx2, 'mx2.example.lab', places.leaf2],
    ] as const
  ).map(async ([address, name, certificate], index) => {
    const change = words.exchangers?.[index]
    if (change === null) return undefined
    return startExchanger(t, { name, chain: [certificate, middle], ...change }, address, smtpPort)
  })
  const exchangers = await Promise.all(starts)
  const policyChain = [makeCertificate({ name: 'mta-sts.example.lab', issuer: middle }), middle]
  const policyHost = await startPolicyHost(t, { chain: policyChain, policy: labPolicy, ...words.policy }, web)
  const zone = cleanZone(places)
  const internet = await startInternet(t, {
    ...(words.validates === undefined ? {} : { validates: words.validates }),
    ...(words.resolverFault ? { resolverFault: words.resolverFault } : {}),
    zones: { ...upperZones(places), 'example.lab': words.zone?.(zone, places) ?? zone, ...words.zones?.(places) },
  })
  const collector = createCollector(
    {
      resolvers: [internet.resolver],
      rootHints: internet.rootHints,
      dnsPort: internet.port,
      smtpPort,
      httpsPort: policyHost.port,
      probe: 'full',
      isPrivate: true,
      helo: 'prober.lab',
      dnsTimeoutMs: 300,
      servfailPauseMs: 0,
      dnsTries: 2,
      dnsPerSecond: 1000,
      timeoutMs: 20_000,
      validation: { signed: labHost('lab'), broken: labHost('broken.lab') },
      knownExchanger: labHost('mx.known.lab'),
      ...words.options,
      probeLimits: { pauseMs: 0, connectMs: 500, greetingMs: 500, commandMs: 2_000, ...words.options?.probeLimits },
    },
    { clock: steadyClock, random: systemRandom, door: systemDoor, ...words.deps },
  )
  t.after(() => collector.close())
  return {
    internet,
    exchangers,
    policyHost,
    places,
    collector,
    examine: (domain = 'example.lab', parts = everyPart) => collector.collect(labHost(domain), new Set(parts)),
  }
}

function upperZones({ mx1, mx2 }: LabPlaces): Readonly<Record<string, LabZoneWords>> {
  const reverse = (address: string) => `${address.split('.').reverse().join('.')}.in-addr.arpa`
  return {
    '.': { servers: [{ name: 'a.root.lab' }], records: {} },
    lab: {
      servers: [{ name: 'a.nic.lab' }],
      records: { 'mx.known.lab': { A: [mx1] }, 'prober.lab': { A: ['127.0.0.1'] } },
    },
    'broken.lab': { servers: [{ name: 'a.nic.lab' }], state: 'bogus', records: {} },
    arpa: {
      servers: [{ name: 'a.root.lab' }],
      records: { [reverse(mx1)]: { PTR: ['mx1.example.lab'] }, [reverse(mx2)]: { PTR: ['mx2.example.lab'] } },
    },
  }
}

function cleanZone({ mx1, mx2, web, leaf1, leaf2 }: LabPlaces): LabZoneWords {
  return {
    servers: [{ name: 'ns1.example.lab' }, { name: 'ns2.example.lab' }, { name: 'ns3.example.lab' }],
    records: {
      'example.lab': {
        A: [web],
        MX: [
          [10, 'mx1.example.lab'],
          [20, 'mx2.example.lab'],
        ],
        TXT: [`v=spf1 ip4:${mx1} ip4:${mx2} -all`],
      },
      'mx1.example.lab': { A: [mx1] },
      'mx2.example.lab': { A: [mx2] },
      '_25._tcp.mx1.example.lab': { TLSA: [[3, 1, 1, keyDigest(leaf1)]] },
      '_25._tcp.mx2.example.lab': { TLSA: [[3, 1, 1, keyDigest(leaf2)]] },
      '_mta-sts.example.lab': { TXT: ['v=STSv1; id=20260101'] },
      'mta-sts.example.lab': { A: [web] },
      '_smtp._tls.example.lab': { TXT: ['v=TLSRPTv1; rua=mailto:tls@example.lab'] },
      // A key of Ed25519 (RFC 8463), so that the name above it exists.
      's1._domainkey.example.lab': { TXT: ['v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='] },
      '_dmarc.example.lab': { TXT: ['v=DMARC1; p=reject; rua=mailto:dmarc@example.lab'] },
    },
  }
}
