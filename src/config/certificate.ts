/**
 * Whether a certificate and its key can be used, said when the configuration is read and not at the first STARTTLS. Called by `whole.ts`
 * and `web.ts`.
 */
import type { X509Certificate } from 'node:crypto'
import { parseIp } from '../base/ip.ts'
import { printable } from '../base/printable.ts'
import { timeText } from '../base/time-text.ts'
import { matchesHost, readCertificate } from '../checks/certificate.ts'
import { namesText } from '../checks/rules/tls/certificate.ts'
import type { HostName } from '../dns/name.ts'
import { type JudgedPair, judgePair, type PairPaths } from '../gateway/receive/certificate-pair.ts'
import { endForSenders, endText, isNearItsEnd, renewal } from '../watch/own-certificate.ts'
import type { ConfigFiles } from './files.ts'
import type { PlannedCertificate } from './plan.ts'

/** What is wrong with which of the two files. A certificate that has expired is no mistake of the file: TLS still beats none. */
export async function readPair(paths: PairPaths, files: ConfigFiles): Promise<JudgedPair> {
  const unreadable: { file: keyof PairPaths; why: string }[] = []
  const content: Partial<Record<keyof PairPaths, Buffer>> = {}
  for (const file of ['certificate', 'key'] as const) {
    const opened = await files.readSecret(paths[file])
    if (opened.kind === 'unreadable') unreadable.push({ file, why: `${opened.path} ${opened.why}` })
    else content[file] = opened.content
  }
  const { wrong, certificate } = judgePair(paths, content)
  return { wrong: [...unreadable, ...wrong], certificate }
}

/** For who is told that it is another one. */
export function planCertificate(x509: X509Certificate): PlannedCertificate {
  const { dnsNames = [], commonName } = readCertificate(x509.raw) ?? {}
  const first = dnsNames.slice(0, mostNames).map((name) => printable(name, 300))
  const more = dnsNames.length > mostNames ? ` and ${dnsNames.length - mostNames} more` : ''
  const names = first.length > 0 ? `${first.join(', ')}${more}` : printable(commonName ?? 'no name', 300)
  return { fingerprint: x509.fingerprint256, words: `for ${names}, until ${timeText(x509.validToDate.getTime())}` }
}

const mostNames = 3

export interface ShownCertificate {
  readonly path: string
  readonly nowMs: number
  readonly endsWithinMs: number
}

/**
 * What senders that verify a certificate will not like of one that can be used, with what to do; by the judgement of the running gateway and of `waypost check`.
 * @param hostname  whom we say that we are to senders
 */
export function doubtCertificate(
  x509: X509Certificate,
  shown: ShownCertificate,
  hostname: HostName,
): readonly string[] {
  const names = whyNotFor(x509, shown.path, hostname)
  return [
    ...doubtEnd(x509, shown, endForSenders),
    ...names.map(
      (why) =>
        `${why} Senders that verify it (MTA-STS) want the name that the MX record has: have one issued for ${hostname}, or set hostname to that name.`,
    ),
  ]
}

/** The same of browsers, and the dashboard. @param hosts  by which they call it, with or without a port */
export function doubtWebCertificate(
  x509: X509Certificate,
  shown: ShownCertificate,
  hosts: readonly string[],
): readonly string[] {
  const named = new Set(hosts.map((host) => host.replace(/:\d+$/, '')).filter((host) => parseIp(host) === undefined))
  return [
    ...doubtEnd(x509, shown, 'Browsers let nobody in without a warning then.'),
    ...[...named].flatMap((host) =>
      whyNotFor(x509, shown.path, host as HostName).map(
        (why) =>
          `${why} Browsers warn whoever opens https://${host}: have one issued for ${host}, or take it out of web.hosts.`,
      ),
    ),
  ]
}

function doubtEnd(x509: X509Certificate, { path, nowMs, endsWithinMs }: ShownCertificate, means: string): string[] {
  const endsMs = x509.validToDate.getTime()
  return isNearItsEnd(endsMs, nowMs, endsWithinMs) ? [`the ${endText(path, endsMs, nowMs)} ${means} ${renewal}`] : []
}

function whyNotFor(x509: X509Certificate, path: string, host: HostName): string[] {
  const certificate = readCertificate(x509.raw)
  if (!certificate || certificate.dnsNames.some((name) => matchesHost(name, host))) return []
  return [`the certificate in ${printable(path, 300)} is for ${namesText(certificate, host)}.`]
}
