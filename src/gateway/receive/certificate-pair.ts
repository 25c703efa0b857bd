/**
 * Whether a certificate and a key can be shown to senders, in words that name the file which is wrong. For `certificate.ts`, which reads renewed files,
 * and for `config/certificate.ts`, which reads them before a gateway does.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { errorCode } from '../../base/error-code.ts'

export interface PairPaths {
  /** Absolute paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

export interface JudgedPair {
  readonly wrong: readonly { readonly file: keyof PairPaths; readonly why: string }[]
  /** The first of its file; undefined where it is wrong. */
  readonly certificate: X509Certificate | undefined
}

/** What is wrong with which of the two files. @param content  of each, where it could be read */
export function judgePair(paths: PairPaths, content: Readonly<Partial<Record<keyof PairPaths, Buffer>>>): JudgedPair {
  const wrong: { file: keyof PairPaths; why: string }[] = []
  const read = <Value>(file: keyof PairPaths, what: string, parse: (pem: Buffer) => Value) => {
    const pem = content[file]
    const value = pem && parsePem(pem, parse)
    if (pem && value === undefined) wrong.push({ file, why: `${paths[file]} holds no ${what} in PEM form` })
    return value
  }
  const certificate = read('certificate', 'certificate', (pem) => new X509Certificate(pem))
  const key = read('key', 'private key without a passphrase', (pem): KeyObject => createPrivateKey(pem))
  if (certificate && key && !certificate.checkPrivateKey(key)) wrong.push(whyNoPair(paths, key, content.certificate))
  return { wrong, certificate }
}

function whyNoPair(paths: PairPaths, key: KeyObject, pem: Buffer | undefined): JudgedPair['wrong'][number] {
  // RFC 8446 §4.4.2: the server's own certificate is the first. OpenSSL reads no other as that.
  const others = pem?.toString('latin1').match(certificateBlock)?.slice(1) ?? []
  if (others.some((other) => parsePem(Buffer.from(other), (text) => new X509Certificate(text))?.checkPrivateKey(key)))
    return {
      file: 'certificate',
      why: `${paths.certificate} begins with another certificate than that of ${paths.key}, which stands behind it: the server's own comes first, then those that issued it`,
    }
  return { file: 'key', why: `${paths.key} is not the key of the certificate ${paths.certificate}` }
}

const certificateBlock = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs

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
