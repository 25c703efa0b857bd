/**
 * Whether a certificate and its key can be used, said when the configuration is read and not at the first STARTTLS. Called by `whole.ts`.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { ConfigFiles } from './files.ts'

export interface PairPaths {
  /** Absolute paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

/** What is wrong with which of the two files. A certificate that has expired is no mistake of the file: TLS still beats none. */
export async function whyPairUnusable(
  paths: PairPaths,
  files: ConfigFiles,
): Promise<readonly { readonly file: 'certificate' | 'key'; readonly why: string }[]> {
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
  return wrong
}

/** OpenSSL throws for whatever it cannot read; which of its many errors it was helps nobody. */
function parsePem<Value>(content: Buffer, parse: (pem: Buffer) => Value): Value | undefined {
  if (!content.includes('-----BEGIN ')) return undefined
  try {
    return parse(content)
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
