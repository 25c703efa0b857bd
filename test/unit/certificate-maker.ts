/**
 * Certificates on demand, with any fault that a test wants: expired, for another name, with a weak key, signed with SHA-1, without its issuer.
 * Keys are made once a process and shared, because RSA takes its time; nothing here guards anything.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'

export type KeyKind = 'ec' | 'rsa' | 'rsa-1024'

export interface CertificateWords {
  /** The CN; also the only DNS name where `dnsNames` says nothing. */
  readonly name: string
  readonly dnsNames?: readonly string[]
  /** O of the subject, and of the issuer's in what it issues. */
  readonly organisation?: string
  /** OU of the subject, behind its CN. */
  readonly unit?: string
  /** Default: signed by itself. */
  readonly issuer?: Issued
  readonly isCa?: boolean
  /** Milliseconds since 1970. Default: from a day ago for 90 days, seen from `nowMs`. */
  readonly notBeforeMs?: number
  readonly notAfterMs?: number
  readonly nowMs?: number
  readonly key?: KeyKind
  /** Another number: another key of the kind. */
  readonly keyNumber?: number
  readonly hash?: 'sha256' | 'sha1'
}

export interface Issued {
  readonly name: string
  readonly organisation: string | undefined
  readonly der: Buffer
  readonly pem: string
  readonly keyPem: string
  readonly key: KeyObject
}

export function makeCertificate(words: CertificateWords): Issued {
  const key = keyOf(words.key ?? 'ec', `${words.keyNumber ?? (words.isCa ? words.name : 0)}`)
  const signer = words.issuer?.key ?? key
  const nowMs = words.nowMs ?? Date.now()
  const algorithm = signatureAlgorithm(signer, words.hash ?? 'sha256')
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    words.issuer
      ? distinguishedName(words.issuer.name, words.issuer.organisation)
      : distinguishedName(words.name, words.organisation),
    sequence(time(words.notBeforeMs ?? nowMs - dayMs), time(words.notAfterMs ?? nowMs + 89 * dayMs)),
    distinguishedName(words.name, words.organisation, words.unit),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions(words))),
  )
  const signature = sign(words.hash ?? 'sha256', body, signer)
  const der = sequence(body, algorithm, bitString(signature))
  const base64 = der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')
  return {
    name: words.name,
    organisation: words.organisation,
    der,
    pem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    key,
  }
}

/** SHA-256 of the key: what TLSA `3 1 1` holds (RFC 6698 §2.1). */
export const keyDigest = ({ key }: Pick<Issued, 'key'>): Buffer =>
  createHash('sha256')
    .update(createPublicKey(key).export({ type: 'spki', format: 'der' }))
    .digest()

const dayMs = 86_400_000

const keys = new Map<string, KeyObject>()

function keyOf(kind: KeyKind, place: string): KeyObject {
  const known = keys.get(`${kind} ${place}`)
  if (known) return known
  const made =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 2048 : 1024 })
  const key = createPrivateKey(made.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  keys.set(`${kind} ${place}`, key)
  return key
}

function extensions(words: CertificateWords): Buffer[] {
  const names = words.dnsNames ?? (words.isCa ? [] : [words.name])
  const basic = words.isCa ? sequence(Buffer.of(1, 1, 0xff)) : sequence()
  const extension = (oid: string, value: Buffer) => sequence(objectId(oid), tagged(4, value))
  return [
    extension('2.5.29.19', basic),
    ...(names.length === 0
      ? []
      : [extension('2.5.29.17', sequence(...names.map((name) => tagged(0x82, Buffer.from(name, 'latin1')))))]),
  ]
}

function signatureAlgorithm(signer: KeyObject, hash: 'sha256' | 'sha1'): Buffer {
  if (signer.asymmetricKeyType === 'ec')
    return sequence(objectId(hash === 'sha256' ? '1.2.840.10045.4.3.2' : '1.2.840.10045.4.1'))
  return sequence(objectId(hash === 'sha256' ? '1.2.840.113549.1.1.11' : '1.2.840.113549.1.1.5'), Buffer.of(5, 0))
}

const distinguishedName = (name: string, organisation: string | undefined, unit?: string) =>
  sequence(
    ...(organisation === undefined ? [] : [attribute('2.5.4.10', organisation)]),
    attribute('2.5.4.3', name),
    ...(unit === undefined ? [] : [attribute('2.5.4.11', unit)]),
  )
const attribute = (oid: string, value: string) =>
  tagged(0x31, sequence(objectId(oid), tagged(0x0c, Buffer.from(value))))

/** GeneralizedTime would do from 2050 on; UTCTime is a MUST before (RFC 5280 §4.1.2.5). */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return new Date(ms).getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2)))
    : tagged(0x18, Buffer.from(digits))
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const part of rest) {
    const base128 = [part & 127]
    for (let left = part >> 7; left > 0; left >>= 7) base128.unshift((left & 127) | 128)
    octets.push(...base128)
  }
  return tagged(6, Buffer.from(octets))
}

const sequence = (...parts: readonly Buffer[]) => tagged(0x30, Buffer.concat(parts))
const integer = (octets: Buffer) => tagged(2, octets)
const bitString = (octets: Buffer) => tagged(3, Buffer.concat([Buffer.of(0), octets]))
const explicit = (number: number, content: Buffer) => tagged(0xa0 + number, content)

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content])
  const size = length < 256 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 255)
  return Buffer.concat([Buffer.of(tag), size, content])
}
