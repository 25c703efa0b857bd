/**
 * Tokens and passwords as they are kept: `scrypt:15:8:1:SALT:KEY`, from which nobody gets the secret back (RFC 7914). `waypost web token` makes
 * them, waypost.yaml holds them, `identify.ts` asks.
 */
import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import type { Read } from '../../base/option.ts'
import type { Random } from '../../base/random.ts'

export interface SecretHash {
  /** log2 of the cost: 15 takes 32 MiB and about 80 ms. */
  readonly cost: number
  readonly salt: string
  readonly key: string
}

const cost = 15
const blockSize = 8
const keyBytes = 32
const saltBytes = 16

export function readSecretHash(text: string): Read<SecretHash> {
  const parts = /^scrypt:(\d{2}):8:1:([A-Za-z0-9_-]{22}):([A-Za-z0-9_-]{43})$/.exec(text)
  const [, logCost = '', salt = '', key = ''] = parts ?? []
  if (!parts) return { kind: 'no', why: '' }
  // Less would be guessed too quickly; more would let one guess take our memory.
  if (Number(logCost) < 14 || Number(logCost) > 17) return { kind: 'no', why: 'has a cost that is not 14 to 17' }
  return { kind: 'value', value: { cost: Number(logCost), salt, key } }
}

/** As it stands in waypost.yaml. @param logCost  14 to 17 */
export async function hashSecret(secret: string, random: Random, logCost = cost): Promise<string> {
  const salt = random.bytes(saltBytes)
  const key = await derive(secret, salt, logCost)
  return `scrypt:${logCost}:${blockSize}:1:${salt.toString('base64url')}:${key.toString('base64url')}`
}

export async function isSecretOf(secret: string, hash: SecretHash): Promise<boolean> {
  const key = await derive(secret, Buffer.from(hash.salt, 'base64url'), hash.cost)
  return timingSafeEqual(key, Buffer.from(hash.key, 'base64url'))
}

/** What is compared with where nobody has the name that was said, so that it takes as long. */
export const nobodysHash: SecretHash = { cost, salt: 'A'.repeat(22), key: 'A'.repeat(43) }

/** Beside the main thread. */
function derive(secret: string, salt: Buffer, logCost: number): Promise<Buffer> {
  const options: ScryptOptions = {
    cost: 2 ** logCost,
    blockSize,
    parallelization: 1,
    maxmem: 2 ** logCost * 1024 + 2 ** 21,
  }
  return new Promise((done, failed) => {
    // The same text, however its accents were typed.
    scrypt(secret.normalize('NFC'), salt, keyBytes, options, (error, key) => (error ? failed(error) : done(key)))
  })
}
