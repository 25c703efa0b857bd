/**
 * What a finding about an exchanger means where that exchanger is a gateway of ours: what is to be done in its waypost.yaml stands in place of what is to be
 * done to another server. Pure; called by `run-rules.ts`.
 */
import type { HostName } from '../dns/name.ts'
import type { Facts } from './facts.ts'
import type { Fault, Remedy } from './finding.ts'
import { everyAddress, plainName } from './read-facts.ts'
import { visitsOf } from './read-sessions.ts'
import type { RuleId } from './rule-ids.ts'

const certificate = ['tls: { certificate: /path/fullchain.pem, key: /path/privkey.pem } (waypost.yaml)']
const recipients: Partial<Remedy> = {
  text: 'Refuse unknown recipients at RCPT: let Waypost ask the backend, or give it the list of those who exist. Where it asks, it is the backend that takes them; while no backend can be asked, "unknownRecipients: defer" puts them off.',
  settings: ['recipients: ask, or a list, under domains: (waypost.yaml)', 'unknownRecipients: defer (waypost.yaml)'],
}
const inFront =
  'Waypost does not do this by itself: look for what stands in front of it and speaks to senders in its place.'
const unusable =
  'See the log of Waypost: it says why the certificate or key that tls: in waypost.yaml names cannot be used. The files are read again when they change.'
const renew = 'Renew it: Waypost reads the files that tls: in waypost.yaml names again when they change.'

/** What is left out of one is as the rule says it; settings are always those of Waypost. */
const remedies: Readonly<Partial<Record<RuleId, Partial<Remedy>>>> = {
  'smtp-no-starttls': {
    text: 'Name a certificate for the name in the MX record, and its key, under tls: in waypost.yaml, then: waypost config reload.',
    settings: certificate,
  },
  'smtp-starttls-refused': { text: unusable, settings: certificate },
  'tls-handshake-fails': { text: unusable, settings: certificate },
  'tls-certificate-expired': { text: renew, settings: certificate },
  'tls-certificate-ends-soon': { text: renew, settings: certificate },
  'tls-certificate-untrusted': { settings: certificate },
  'tls-chain-incomplete': { settings: certificate },
  'tls-certificate-name': { settings: certificate },
  'dane-no-starttls': {
    text: 'Name a certificate and its key under tls: in waypost.yaml, or take the TLSA records out until STARTTLS works.',
    settings: certificate,
  },
  'dane-ta-not-sent': { settings: certificate },
  'sts-exchanger-unverified': { settings: [...certificate, 'mode: testing'] },
  'accepts-unknown-recipient': recipients,
  'backup-accepts-unknown': recipients,
  'exchangers-disagree': recipients,
  'smtp-domain-refused': {
    text: 'Declare the domain under domains: in waypost.yaml, with deliver:, then: waypost config reload. Or take the host out of the MX set.',
    settings: ['domains: { example.com: { deliver: "smtp://10.0.0.11" } } (waypost.yaml)'],
  },
  'smtp-postmaster-refused': { settings: ['postmaster: maildir:/path, or a server (waypost.yaml)'] },
  'smtp-abuse-refused': { settings: ['addresses: { "abuse@": "smtp://10.0.0.20" }, under domains: (waypost.yaml)'] },
  'smtp-bounces-refused': { text: 'Let the backend take the empty sender: Waypost passes on what it says.' },
  'smtp-size-small': { settings: ['limits: { messageBytes: 50MiB } (waypost.yaml)'] },
  'smtp-extensions-differ': { settings: ['limits: { messageBytes: 50MiB } (waypost.yaml)'] },
  'smtp-extensions-missing': {
    text: 'Waypost offers 8BITMIME and PIPELINING: look for what stands in front of it and takes them away. SMTPUTF8 is not among what it does.',
  },
  'smtp-name-invalid': {
    text: 'Let Waypost call itself by a full host name that has an address.',
    settings: ['hostname: mx1.example.com (waypost.yaml)'],
  },
  'smtp-replies-slow': {
    text: 'Waypost asks the backend while the sender waits: see which is slow with "waypost backend list", and look for what that one waits for.',
  },
  'open-relay': {
    text: 'Waypost takes mail for the domains of its waypost.yaml alone: see whether the recipient is in one of them, and what stands in front of it and may be what answers.',
  },
  'smtp-greeting-refuses': { text: inFront },
  'smtp-greeting-slow': { text: inFront },
  'smtp-ehlo-refused': { text: inFront },
  'smtp-tls-required': { text: inFront },
  'smtp-injects-before-tls': { text: inFront },
  'tls-old-offered': { text: inFront },
  'tls-cipher-weak': {},
  'tls-sni-required': { text: inFront },
}

export type OwnExchangers = (subject: Fault['subject']) => boolean

/**
 * Which subjects are a gateway of ours: an exchanger of its name, or one that greets by it under another name.
 * @param gateway  what the gateway calls itself; undefined: there is none of ours
 */
export function ownExchangers(facts: Facts, gateway: HostName | undefined): OwnExchangers {
  if (gateway === undefined) return () => false
  const isName = (name: string | undefined) => name?.toLowerCase() === gateway
  const greeting = new Set(
    visitsOf(facts)
      .filter(({ session: { greeting: said } }) => said.kind === 'reply' && isName(said.reply.text[0]?.split(' ')[0]))
      .map(({ exchanger, at }) => placeOf(plainName(exchanger.name), at.address)),
  )
  const all = everyAddress(facts).map(({ exchanger, at }) => ({ host: plainName(exchanger.name), address: at.address }))
  const isOwn = (host: string, address: string) => isName(host) || greeting.has(placeOf(host, address))
  return (subject) => {
    switch (subject.kind) {
      case 'address':
        return isOwn(subject.exchanger, subject.address)
      case 'exchanger':
      case 'domain': {
        const those = all.filter(({ host }) => subject.kind === 'domain' || host === subject.name)
        return those.length > 0 && those.every(({ host, address }) => isOwn(host, address))
      }
      default:
        return false
    }
  }
}

const placeOf = (host: string, address: string) => `${host} ${address}`

/** The fault with the remedy of Waypost, where its subject is one of ours. */
export function withGatewaySettings(id: RuleId, fault: Fault, isOwn: OwnExchangers): Fault {
  const own = remedies[id]
  // A device on the way hides what the gateway offers: nothing is to be done to that.
  if (own === undefined || fault.data?.isHiddenOnTheWay === true || !isOwn(fault.subject)) return fault
  const { settings, ...remedy } = fault.remedy
  return { ...fault, remedy: { ...remedy, ...own } }
}
