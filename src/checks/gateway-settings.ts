/**
 * What a finding about an exchanger means where that exchanger is a Waypost: its own settings, which stand before those of other servers. Pure;
 * called by `run.ts`.
 */
import type { HostName } from '../dns/name.ts'
import type { Fault } from './finding.ts'
import type { RuleId } from './rules/ids.ts'

const certificate = ['tls: { certificate: /path/fullchain.pem, key: /path/privkey.pem } (waypost.yaml)']
const recipients = ['recipients: ask, or a list, under domains: (waypost.yaml)']

const settings: Readonly<Partial<Record<RuleId, readonly string[]>>> = {
  'smtp-no-starttls': certificate,
  'smtp-starttls-refused': certificate,
  'tls-handshake-fails': certificate,
  'tls-certificate-expired': certificate,
  'tls-certificate-ends-soon': certificate,
  'tls-certificate-untrusted': certificate,
  'tls-chain-incomplete': certificate,
  'tls-certificate-name': certificate,
  'accepts-unknown-recipient': recipients,
  'backup-accepts-unknown': recipients,
  'smtp-domain-refused': ['the domain with deliver:, under domains: (waypost.yaml)'],
  'smtp-postmaster-refused': ['postmaster: maildir:/path, or a server (waypost.yaml)'],
  'smtp-size-small': ['limits: { messageBytes: 50MiB } (waypost.yaml)'],
  'smtp-name-invalid': ['hostname: its full name (waypost.yaml)'],
}

/** @param gateway  what the gateway calls itself; undefined: there is none of ours */
export function withGatewaySettings(id: RuleId, fault: Fault, gateway: HostName | undefined): Fault {
  const { subject, remedy } = fault
  const host = subject.kind === 'exchanger' ? subject.name : subject.kind === 'address' ? subject.exchanger : undefined
  const own = settings[id]
  if (gateway === undefined || host?.toLowerCase() !== gateway || own === undefined) return fault
  return { ...fault, remedy: { ...remedy, settings: [...own, ...(remedy.settings ?? [])] } }
}
