/**
 * The keys of transaction signatures (RFC 8945): a name, an algorithm and a secret that two servers share. Read here from the text of
 * a configuration; used by whoever signs and verifies.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { foldName, nameFromText, type WireName } from '../wire-name.ts'

/** RFC 8945 §6 without what is not recommended (SHA-1) or forbidden (MD5), and without GSS-TSIG, which needs Kerberos. */
export const tsigAlgorithms = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const

export type TsigAlgorithm = (typeof tsigAlgorithms)[number]

export interface TsigKey {
  /** Part of the protocol, and compared as a name: in any case, with or without its final dot. */
  readonly name: WireName
  readonly algorithm: TsigAlgorithm
  /** Prints as nothing, so that no log tells it. */
  readonly secret: KeyObject
}

export type ParsedTsigKey =
  | { readonly kind: 'key'; readonly key: TsigKey }
  /** `why` says nothing of the secret itself. */
  | { readonly kind: 'invalid'; readonly field: 'name' | 'algorithm' | 'secret'; readonly why: string }

/** The length of each algorithm's hash, octets. */
export const macBytes: Readonly<Record<TsigAlgorithm, number>> = {
  'hmac-sha256': 32,
  'hmac-sha384': 48,
  'hmac-sha512': 64,
}

/** As `node:crypto` calls the hash. */
export const hashNames: Readonly<Record<TsigAlgorithm, string>> = {
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
}

/** The algorithms as the names that they are on the wire. */
export const algorithmNames: Readonly<Record<TsigAlgorithm, WireName>> = {
  'hmac-sha256': '\x0bhmac-sha256\0' as WireName,
  'hmac-sha384': '\x0bhmac-sha384\0' as WireName,
  'hmac-sha512': '\x0bhmac-sha512\0' as WireName,
}

/**
 * @param name  presentation text, with or without a final dot
 * @param algorithm  one of `tsigAlgorithms`, in any case, with or without a final dot
 * @param secret  base64, as `tsig-keygen` and `keymgr` print it; shorter than the hash is weak (§8) and taken
 */
export function parseTsigKey(name: string, algorithm: string, secret: string): ParsedTsigKey {
  const parsed = nameFromText(name)
  if (parsed.kind === 'invalid') return { kind: 'invalid', field: 'name', why: parsed.why }
  const wanted = algorithm.toLowerCase().replace(/\.$/, '')
  const known = tsigAlgorithms.find((candidate) => candidate === wanted)
  if (!known) return { kind: 'invalid', field: 'algorithm', why: `it is none of ${tsigAlgorithms.join(', ')}` }
  const text = secret.replace(/\s/g, '')
  if (text === '') return { kind: 'invalid', field: 'secret', why: 'it is empty' }
  if (!base64.test(text)) return { kind: 'invalid', field: 'secret', why: 'it is not base64' }
  const key = { name: parsed.name, algorithm: known, secret: createSecretKey(text, 'base64') }
  return { kind: 'key', key }
}

/** Whether a TSIG record names this key. */
export function isKeyNamed(key: TsigKey, name: WireName): boolean {
  return foldName(key.name) === foldName(name)
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
