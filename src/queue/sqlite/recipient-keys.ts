/**
 * The keys of what is known of recipients: hashes with a secret of this installation, so that a copy of the database names nobody. For `known.ts`.
 */
import { createHmac } from 'node:crypto'
import { link, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../base/error-code.ts'
import type { Random } from '../../base/random.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import type { Recipient } from '../../mail/message.ts'
import { asFailure, StoreFailure } from '../../store/failure.ts'
import type { Lane } from '../queue.ts'

export interface RecipientKeys {
  good(recipient: Recipient): Buffer
  bad(recipient: Recipient, lane: Lane): Buffer
  domain(recipient: Recipient): Buffer
}

const keyOctets = 16

/** @param folder  where the secret is kept @throws a `StoreFailure`, where it can be neither read nor made */
export async function openRecipientKeys(folder: string, random: Random): Promise<RecipientKeys> {
  const secret = await readSecret(join(folder, 'recipients.key'), random)
  const hash = (kind: 'good' | 'bad' | 'domain', ...of: string[]) =>
    createHmac('sha256', secret)
      .update([kind, ...of].join('\0'))
      .digest()
      .subarray(0, keyOctets)
  return {
    good: (recipient) => hash('good', recipient.text),
    bad: (recipient, lane) => hash('bad', lane, recipient.text),
    domain: (recipient) => hash('domain', recipient.domain ?? ''),
  }
}

const secretOctets = 32

/** The secret of this installation, made at the first start. Without it what was learnt is noise, so a damaged one is made anew by hand. */
async function readSecret(path: string, random: Random): Promise<Buffer> {
  try {
    const found = await readFile(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
    if (found === undefined) return await makeSecret(path, random)
    if (found.length === secretOctets) return found
  } catch (error) {
    throw asFailure(error) ?? error
  }
  throw new StoreFailure(
    'corrupt',
    `${path} does not hold ${secretOctets} octets; remove it, and what is known of recipients is learnt anew`,
  )
}

async function makeSecret(path: string, random: Random): Promise<Buffer> {
  const secret = random.bytes(secretOctets)
  const draft = `${path}.new`
  await rm(draft, { force: true })
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(secret)
    await file.sync()
  } finally {
    await file.close()
  }
  // Whole or not at all, and never over one that is there.
  await link(draft, path)
  await rm(draft, { force: true })
  await syncFolder(join(path, '..'))
  return secret
}
