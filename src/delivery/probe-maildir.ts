/**
 * Whether a Maildir could be written now, without leaving anything in it or making it: a file is made and taken away again where a message would be written first.
 * For the health of a Maildir, which has nothing to connect to. Made by `create.ts`.
 */
import { dirname, join } from 'node:path'
import { type Clock, within } from '../base/clock.ts'
import { errorCode } from '../base/error-code.ts'
import type { Random } from '../base/random.ts'
import type { Endpoint } from '../routing/backend.ts'
import type { Delivery, HealthReports } from './delivery.ts'
import type { MaildirFiles } from './maildir-files.ts'
import type { Fault } from './outcome.ts'
import { whyNoMaildir } from './why-no-maildir.ts'

export interface MaildirProbe {
  readonly probe: Delivery['probe']
  /** Those that are under way have ended, or hang. */
  settle(): Promise<void>
}

export interface MaildirProbeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly files: MaildirFiles
  readonly health: HealthReports
}

const settledWithinMs = 1_000

export function createMaildirProbe({ clock, random, files, health }: MaildirProbeDeps): MaildirProbe {
  /** By path. A disk over the network may hang, and each that waits for it takes a thread of the few: so one waits at a time. */
  const underWay = new Map<string, Promise<string | undefined>>()

  function look(path: string): Promise<string | undefined> {
    const known = underWay.get(path)
    if (known) return known
    const name = `.waypost-${random.bytes(12).toString('hex')}`
    const looking = whyNot(path, name, files).finally(() => underWay.delete(path))
    underWay.set(path, looking)
    return looking
  }

  return {
    async probe(endpoint, untilMs) {
      const path = pathOf(endpoint)
      const answer = await within(
        look(path).then((code) => ({ code })),
        untilMs,
        clock,
      )
      const { code } = answer ?? { code: 'ETIMEDOUT' }
      if (code === undefined) {
        health.opened(endpoint)
        return { kind: 'up' }
      }
      const detail = whyNoMaildir(path, code) ?? code
      const fault: Fault = { kind: 'unreachable', step: 'connect', reply: undefined, detail }
      health.failed(endpoint, fault)
      return { kind: 'failed', fault }
    },
    async settle() {
      if (underWay.size === 0) return
      await within(Promise.allSettled(underWay.values()), clock.monotonicMs() + settledWithinMs, clock)
    },
  }
}

function pathOf({ backend: { address } }: Endpoint): string {
  if (address.protocol !== 'maildir') throw new TypeError('not a Maildir')
  return address.path
}

/** @param name  of the file @returns the system's code where it cannot be written */
async function whyNot(path: string, name: string, files: MaildirFiles): Promise<string | undefined> {
  try {
    const [fixed = ''] = path.split('/{local}', 1)
    return fixed === path ? await whyNotBox(path, name, files) : await whyNotAbove(fixed || '/', files)
  } catch (error) {
    return errorCode(error) ?? 'EIO'
  }
}

/** One box for all: it, and what belongs in it, is made for the first message where it is missing. */
async function whyNotBox(path: string, name: string, files: MaildirFiles): Promise<string | undefined> {
  const box = await files.enter(path, 'any')
  if (box === 'nothing') return whyNotWritable(dirname(path), 'any', name, files)
  if (box === 'other') return 'ENOTDIR'
  try {
    const why = await whyNotWritable(join(box.path, 'tmp'), 'none', name, files)
    return why === 'ENOENT' ? await whyNotWritable(box.path, 'any', name, files) : why
  } finally {
    await box.leave()
  }
}

async function whyNotWritable(
  path: string,
  links: 'any' | 'none',
  name: string,
  files: MaildirFiles,
): Promise<string | undefined> {
  const folder = await files.enter(path, links)
  if (typeof folder === 'string') return folder === 'nothing' ? 'ENOENT' : 'ENOTDIR'
  try {
    const file = await files.create(join(folder.path, name))
    await file.close().finally(() => files.remove(join(folder.path, name)))
    return undefined
  } finally {
    await folder.leave()
  }
}

/** A box for each: they are made by whoever makes users, so nothing need be written here. The fixed part may be reached by links: they are the operator's. */
async function whyNotAbove(fixed: string, files: MaildirFiles): Promise<string | undefined> {
  const entered = await files.enter(fixed, 'any')
  if (typeof entered === 'string') return entered === 'nothing' ? 'ENOENT' : 'ENOTDIR'
  // Whether what is held open can be gone on from, too.
  const again = await files.enter(`${entered.path}/.`, 'any').finally(entered.leave)
  if (typeof again === 'string') return 'ENOENT'
  await again.leave()
  return undefined
}
