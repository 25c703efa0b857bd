/**
 * Certificates as rules want them: fields out of DER, the path among those that a server sent, and whether it leads to a root that senders
 * trust (RFC 5280 §6.1 as far as Node's X.509 goes: issuance, signatures, CA flag; dates and names are rules of their own). Pure.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import type { HostName } from '../dns/name.ts'
import { onceAFact } from './once-a-fact.ts'

export interface Certificate {
  readonly x509: X509Certificate
  readonly der: Buffer
  readonly notBeforeMs: number
  readonly notAfterMs: number
  /** dNSName entries, in lower case; text of others. */
  readonly dnsNames: readonly string[]
  /** The last CN of the subject; text of others. */
  readonly commonName: string | undefined
  readonly key: { readonly kind: 'rsa' | 'ec' | 'other'; readonly bits: number; readonly spki: Buffer }
  /** OpenSSL's name: `sha256WithRSAEncryption`. */
  readonly signature: string
  readonly isSelfIssued: boolean
}

/** @returns undefined where the octets are no certificate that OpenSSL reads */
export const readCertificate: (der: Buffer) => Certificate | undefined = onceAFact((der) => {
  try {
    const x509 = new X509Certificate(der)
    return {
      x509,
      der,
      notBeforeMs: x509.validFromDate.getTime(),
      notAfterMs: x509.validToDate.getTime(),
      dnsNames: dnsNamesOf(x509.subjectAltName ?? ''),
      commonName: lastCommonName(x509.subject ?? ''),
      key: keyOf(x509.publicKey),
      signature: x509.signatureAlgorithm ?? 'unknown',
      isSelfIssued: x509.checkIssued(x509),
    }
  } catch {
    return undefined
  }
})

/** Node writes each attribute as a line of its own, and a line end within one as `\0A`. */
const lastCommonName = (subject: string): string | undefined =>
  subject
    .split('\n')
    .findLast((line) => line.startsWith('CN='))
    ?.slice('CN='.length)

function keyOf(key: KeyObject): Certificate['key'] {
  const spki = key.export({ type: 'spki', format: 'der' })
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'rsa' || type === 'rsa-pss') return { kind: 'rsa', bits: details?.modulusLength ?? 0, spki }
  if (type === 'ec') return { kind: 'ec', bits: curveBits(details?.namedCurve ?? ''), spki }
  return { kind: 'other', bits: 0, spki }
}

const curveBits = (curve: string) => (curve === 'prime256v1' ? 256 : Number(/\d+/.exec(curve)?.[0] ?? 0))

/** Node writes `DNS:a, DNS:b`; an entry with a comma or quote in it is a JSON string, so that no entry can pretend to be two. */
function dnsNamesOf(subjectAltName: string): string[] {
  const entries = subjectAltName.match(/[^:,]+:(?:"(?:[^"\\]|\\.)*"|[^,"]*)/g) ?? []
  return entries.flatMap((entry) => {
    const [, name] = /^\s*DNS:([^"]*)$/.exec(entry) ?? []
    return name === undefined ? [] : [name.toLowerCase()]
  })
}

/** Whether a DNS-ID stands for the host: equal, or a whole first label `*` in place of one label (RFC 9525 §6.3). */
export function matchesHost(dnsId: string, host: HostName): boolean {
  const name = dnsId.endsWith('.') ? dnsId.slice(0, -1) : dnsId
  if (name === host) return true
  const dot = host.indexOf('.')
  return name.startsWith('*.') && dot > 0 && name.slice(2) === host.slice(dot + 1) && name.slice(2).includes('.')
}

/** Servers send two to four; more than this is no chain. */
const longestPath = 10

/** The leaf and, as far as they were sent, each one's issuer, whatever the order in which they came. */
export const pathOf: (sent: readonly Buffer[]) => readonly Certificate[] = onceAFact((sent) => {
  const [first, ...rest] = sent.slice(0, longestPath)
  const leaf = first && readCertificate(first)
  if (!leaf) return []
  const others = rest.flatMap((der) => readCertificate(der) ?? [])
  const path = [leaf]
  for (let last = leaf; !last.isSelfIssued; ) {
    const issuer = others.find((other) => !path.includes(other) && isIssuedBy(last, other.x509))
    if (!issuer) break
    path.push(issuer)
    last = issuer
  }
  return path
})

export function isIssuedBy(certificate: Certificate, issuer: X509Certificate): boolean {
  return certificate.x509.checkIssued(issuer) && issuer.ca && certificate.x509.verify(issuer.publicKey)
}

/** Roots, found by their subject. */
export interface Roots {
  /** Those that may have issued it. */
  issuersOf(certificate: Certificate): readonly X509Certificate[]
  has(certificate: Certificate): boolean
}

/** @param pems  for public exchangers `tls.rootCertificates`; reading them takes some milliseconds, so once a run */
export function createRoots(pems: readonly string[]): Roots {
  const bySubject = new Map<string, X509Certificate[]>()
  for (const pem of pems) {
    const root = new X509Certificate(pem)
    bySubject.set(root.subject, [...(bySubject.get(root.subject) ?? []), root])
  }
  return {
    issuersOf: ({ x509 }) => bySubject.get(x509.issuer) ?? [],
    has: ({ x509 }) => (bySubject.get(x509.subject) ?? []).some((root) => root.raw.equals(x509.raw)),
  }
}

export type Trust =
  | { readonly kind: 'trusted'; readonly path: readonly Certificate[] }
  /** The leaf stands for itself. */
  | { readonly kind: 'self-signed' }
  /** It leads to a root that senders do not know. */
  | { readonly kind: 'unknown-root'; readonly path: readonly Certificate[] }
  /** The issuer of the last of `path` was not sent, and is no root that we know: an intermediate is missing, or the root is private. */
  | { readonly kind: 'incomplete'; readonly path: readonly Certificate[] }
  | { readonly kind: 'unreadable' }

/** Where the chain that was sent leads to; dates and names aside. */
export function trustOf(sent: readonly Buffer[], roots: Roots): Trust {
  const path = pathOf(sent)
  const [leaf] = path
  if (!leaf) return { kind: 'unreadable' }
  // A chain may hold more than it needs (a cross-signed root): the first that a root has issued, or that is one, ends it.
  const end = path.findIndex(
    (certificate) =>
      roots.has(certificate) || roots.issuersOf(certificate).some((root) => isIssuedBy(certificate, root)),
  )
  if (end >= 0) return { kind: 'trusted', path: path.slice(0, end + 1) }
  if (leaf.isSelfIssued) return { kind: 'self-signed' }
  return { kind: path.at(-1)?.isSelfIssued ? 'unknown-root' : 'incomplete', path }
}
