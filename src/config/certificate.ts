/**
 * Whether a certificate and its key can be used, said when the configuration is read and not at the first STARTTLS. Called by `whole.ts`
 * and `web.ts`.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { errorCode } from '../base/error-code.ts'
import { printable } from '../base/printable.ts'
import { matchesHost, readCertificate } from '../checks/certificate.ts'
import { namesText } from '../checks/rules/tls/certificate.ts'
import type { HostName } from '../dns/name.ts'
import { endText, isNearItsEnd, renewal } from '../watch/own-certificate.ts'
import type { ConfigFiles } from './files.ts'

export interface PairPaths {
  /** Absolute paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

export interface ReadPair {
  readonly wrong: readonly { readonly file: 'certificate' | 'key'; readonly why: string }[]
  /** The first of its file; undefined where it is wrong. */
  readonly certificate: X509Certificate | undefined
}

/** What is wrong with which of the two files. A certificate that has expired is no mistake of the file: TLS still beats none. */
export async function readPair(paths: PairPaths, files: ConfigFiles): Promise<ReadPair> {
  const wrong: { file: 'certificate' | 'key'; why: string }[] = []
  const read = async <Value>(file: 'certificate' | 'key', what: string, parse: (pem: Buffer) => Value) => {
    const opened = await files.readSecret(paths[file])
    if (opened.kind === 'unreadable') {
      wrong.push({ file, why: `${opened.path} ${opened.why}` })
      return undefined
    }
    const value = parsePem(opened.content, parse)
    if (value === undefined) wrong.push({ file, why: `${paths[file]} holds no ${what} in PEM form` })
    return value
  }
  const certificate = await read('certificate', 'certificate', (pem) => new X509Certificate(pem))
  const key = await read('key', 'private key without a passphrase', (pem): KeyObject => createPrivateKey(pem))
  if (certificate && key && !certificate.checkPrivateKey(key))
    wrong.push({ file: 'key', why: `${paths.key} is not the key of the certificate ${paths.certificate}` })
  return { wrong, certificate }
}

export interface ShownCertificate {
  readonly path: string
  /** Whom we say that we are to senders. */
  readonly hostname: HostName
  readonly nowMs: number
  readonly endsWithinMs: number
}

/** What senders that verify a certificate will not like of one that can be used, with what to do; by the judgement of the running gateway and of `waypost check`. */
export function doubtCertificate(x509: X509Certificate, shown: ShownCertificate): readonly string[] {
  const { path, hostname, nowMs, endsWithinMs } = shown
  const doubts: string[] = []
  const endsMs = x509.validToDate.getTime()
  if (isNearItsEnd(endsMs, nowMs, endsWithinMs)) doubts.push(`the ${endText(path, endsMs, nowMs)} ${renewal}`)
  const certificate = readCertificate(x509.raw)
  if (certificate && !certificate.dnsNames.some((name) => matchesHost(name, hostname)))
    doubts.push(
      `the certificate in ${printable(path, 300)} is for ${namesText(certificate, hostname)}. Senders that verify it (MTA-STS) want the name that the MX record has: have one issued for ${hostname}, or set hostname to that name.`,
    )
  return doubts
}

/** OpenSSL throws for whatever it cannot read; which of its many errors it was helps nobody. */
function parsePem<Value>(content: Buffer, parse: (pem: Buffer) => Value): Value | undefined {
  if (!content.includes('-----BEGIN ')) return undefined
  try {
    return parse(content)
  } catch (error) {
    if (errorCode(error) !== undefined) return undefined
    throw error
  }
}
