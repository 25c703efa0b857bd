/**
 * The certificate that we show to senders (RFC 3207): read at the start, and again when its files change. A bad new one leaves the old
 * in place and alerts.
 */
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Clock, Timer } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import type { Log } from '../../base/log.ts'
import { heardAlerts, type Tell } from '../events.ts'
import { judgePair, type PairPaths } from './certificate-pair.ts'

export interface Certificate {
  /** Undefined: no STARTTLS. */
  readonly context: SecureContext | undefined
  /** Reads the files now. Rejects with the reason where they cannot be used, and keeps what was there. */
  load(files: PairPaths | undefined): Promise<void>
  stop(): void
}

const lookEveryMs = 15_000

export interface CertificateDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  /** Is handed what was read, each time: for a server that keeps it in its own way. */
  readonly loaded?: (pair: { readonly cert: Buffer; readonly key: Buffer }) => void
}

export function createCertificate({ clock, log, tell, loaded }: CertificateDeps): Certificate {
  let files: PairPaths | undefined
  let context: SecureContext | undefined
  let seen = ''
  let timer: Timer | undefined
  let isStopped = false

  async function load(next: PairPaths | undefined): Promise<void> {
    if (next) {
      const stamp = await stampOf(next)
      const [cert, key] = await Promise.all([readFile(next.certificate), readFile(next.key)])
      const [wrong] = judgePair(next, { certificate: cert, key }).wrong
      if (wrong) throw new Error(wrong.why)
      context = createSecureContext({ cert, key, minVersion: 'TLSv1.2' })
      loaded?.({ cert, key })
      seen = stamp
    } else context = undefined
    files = next
    schedule()
  }

  function schedule(): void {
    if (isStopped) return
    timer?.cancel()
    timer = files ? clock.after(lookEveryMs, () => void lookAgain()) : undefined
  }

  async function lookAgain(): Promise<void> {
    const current = files
    if (!current) return
    try {
      // Files that are missing have a stamp too, so that they alert once.
      const stamp = await stampOf(current).catch((error: unknown) => `missing ${errorCode(error)}`)
      if (stamp === seen) return schedule()
      // Noted before it is tried, so that a bad file alerts once and not four times a minute.
      seen = stamp
      await load(current)
      tell?.({ kind: 'certificate-renewed', atMs: clock.now(), certificate: current.certificate })
      log.info('certificate renewed', { certificate: current.certificate })
    } catch (error) {
      log.alert(heardAlerts.certificateUnusable, {
        certificate: current.certificate,
        why: whyUnusable(error),
      })
      schedule()
    }
  }

  return {
    get context() {
      return context
    },
    load,
    stop() {
      isStopped = true
      files = undefined
      timer?.cancel()
    },
  }
}

async function stampOf(files: PairPaths): Promise<string> {
  const stats = await Promise.all([stat(files.certificate), stat(files.key)])
  return stats.map(({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`).join(' ')
}

function whyUnusable(error: unknown): string {
  const { path, message } = error as NodeJS.ErrnoException
  return path === undefined ? message : `${path} cannot be read (${errorCode(error)})`
}
