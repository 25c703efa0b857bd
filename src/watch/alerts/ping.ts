/**
 * The dead man's switch: a URL is asked every few minutes as long as all is alive here, and somebody else cries when it is not. It says nothing when the
 * store cannot be written or nothing is watched any more, because then nobody would hear of anything from us either.
 */
import { Deadline } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { jitter, type Random } from '../../base/random.ts'
import type { AlertOptions } from '../options.ts'
import { askUrl, type ChannelDeps, findAuthorities, findUrl, urlName } from './http-channel.ts'

export interface Ping {
  stop(): void
}

export interface PingDeps extends ChannelDeps {
  readonly random: Random
  readonly log: Log
  /** Why all is not well here; undefined: it is. */
  readonly whyNotAlive: () => string | undefined
}

export function createPing(options: NonNullable<AlertOptions['ping']>, deps: PingDeps): Ping {
  const { clock, random, log, whyNotAlive } = deps
  let isStopped = false
  const alarm = new Deadline(clock, () => {
    void ask()
      .catch((error: unknown) => log.error('ping failed', { error }))
      .finally(() => {
        if (!isStopped) alarm.arm(jitter(options.every, 0.1, random))
      })
  })
  alarm.arm(0)

  async function ask(): Promise<void> {
    const why = whyNotAlive() ?? (await sent())
    if (why !== undefined) log.warn('ping not sent', { to: urlName(options.url), why })
  }

  async function sent(): Promise<string | undefined> {
    const found = await findUrl(options.url, deps)
    if (found.kind === 'missing') return found.why
    const authorities = await findAuthorities(options.ca, deps)
    if (authorities.kind === 'missing') return authorities.why
    const { ca } = authorities
    const outcome = await askUrl(found.url, { method: 'GET', headers: { 'User-Agent': 'waypost' }, ca }, deps)
    if (outcome.kind === 'failed') return outcome.why
    return outcome.status >= 200 && outcome.status < 300 ? undefined : `it answered ${outcome.status}`
  }

  return {
    stop() {
      isStopped = true
      alarm.end()
    },
  }
}
