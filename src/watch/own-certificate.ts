/** The certificate that senders are shown, and how near its end is: looked at once an hour, and when it was renewed. For `gateway-conditions`;
 * `config/certificate` judges by the same rule. */
import { X509Certificate } from 'node:crypto'
import { type Clock, Deadline } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { printable } from '../base/printable.ts'
import { timeText } from '../base/time-text.ts'
import type { Condition } from './condition.ts'
import type { ToldConditions } from './told-conditions.ts'

export interface OwnCertificate {
  /** By its path, as it was read last. */
  readonly last: { readonly name: string; readonly endsMs: number } | undefined
  lookSoon(): void
  stop(): void
}

export interface OwnCertificateDeps {
  readonly clock: Clock
  readonly log: Log
  readonly conditions: ToldConditions
  /** Path of its PEM. */
  readonly path: () => string | undefined
  readonly endsWithinMs: () => number
  readonly readText: (path: string) => Promise<string>
}

const everyMs = 3_600_000
const dayMs = 86_400_000

export function createOwnCertificate(deps: OwnCertificateDeps): OwnCertificate {
  const { clock, log, conditions } = deps
  let isStopped = false
  let last: OwnCertificate['last']
  const alarm = new Deadline(clock, () => {
    void look()
      .catch((error: unknown) => log.error('certificate not looked at', { error }))
      .finally(() => {
        if (!isStopped) alarm.arm(everyMs)
      })
  })
  alarm.arm(0)

  async function look(): Promise<void> {
    const path = deps.path()
    const endsMs = path === undefined ? undefined : await endOf(path)
    last = path === undefined || endsMs === undefined ? undefined : { name: path, endsMs }
    const nowMs = clock.now()
    const isNear = last !== undefined && isNearItsEnd(last.endsMs, nowMs, deps.endsWithinMs())
    if (last && isNear && !isStopped) conditions.raise(nearItsEnd(last.name, last.endsMs, nowMs))
    // One that cannot be read may be near its end still.
    else if (last || path === undefined) conditions.clearAllBut('certificate ', new Set(), () => nowOf(last?.endsMs))
  }

  async function endOf(path: string): Promise<number | undefined> {
    try {
      return new X509Certificate(await deps.readText(path)).validToDate.getTime()
    } catch (error) {
      // The gateway says so itself, where it matters.
      log.debug('certificate not read', { path, error })
      return undefined
    }
  }

  return {
    get last() {
      return last
    },
    lookSoon: () => alarm.arm(0),
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}

const nowOf = (endsMs: number | undefined) =>
  endsMs === undefined
    ? 'senders are shown no certificate of ours any more'
    : `our certificate ends on ${timeText(endsMs)}`

/** Whether it is worth telling: `waypost config check` and a start say it by the same rule. @param withinMs  before the end */
export const isNearItsEnd = (endsMs: number, nowMs: number, withinMs: number): boolean => endsMs - nowMs <= withinMs

/** `certificate in … ended on ….` */
export const endText = (path: string, endsMs: number, nowMs: number): string =>
  `certificate in ${printable(path, 300)} ${endsMs <= nowMs ? 'ended' : 'ends'} on ${timeText(endsMs)}.`

/** What comes of that where senders are shown it. */
export const endForSenders = 'Senders that verify it (MTA-STS, DANE) hold their mail back then.'

/** What to do. */
export const renewal = 'Renew it; the file is read again when it changes.'

function nearItsEnd(path: string, endsMs: number, nowMs: number): Condition {
  return {
    key: `certificate ${path}`,
    kind: 'certificate-ends',
    severity: endsMs - nowMs < 3 * dayMs ? 'error' : 'warning',
    domain: undefined,
    title: endsMs <= nowMs ? 'our certificate has ended' : 'our certificate ends soon',
    detail: `The ${endText(path, endsMs, nowMs)} ${endForSenders}`,
    remedy: renewal,
  }
}
