/** The ways by which people hear, as waypost.yaml has them: opened at the start, and anew where a reload has others. For `watch`. */
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../mail/address.ts'
import type { WatchingSettings } from '../settings.ts'
import type { AlertMessage } from './alerting.ts'
import { createChannels } from './channels.ts'
import type { ChannelDeps } from './http-channel.ts'
import { createPing, type Ping } from './ping.ts'
import { createSending, type Sending } from './sending.ts'

export interface Ways {
  send(message: AlertMessage): void
  /** Waits until each way has been tried once with what it has. */
  tried(): Promise<void>
  apply(settings: WaysSettings): void
  close(): void
}

export interface WaysSettings {
  readonly alerts: WatchingSettings['alerts']
  readonly hostname: HostName
}

export interface WaysDeps extends ChannelDeps {
  readonly random: Random
  readonly log: Log
  /** What the dead man's ping stops for. */
  readonly whyNotAlive: () => string | undefined
}

interface Opened {
  readonly sendings: readonly Sending[]
  readonly ping: Ping | undefined
}

export function createWays(initial: WaysSettings, deps: WaysDeps): Ways {
  let settings = initial
  let opened = open(initial, deps)
  const close = () => {
    for (const sending of opened.sendings) sending.stop()
    opened.ping?.stop()
  }
  return {
    send(message) {
      for (const sending of opened.sendings) sending.send(message)
    },
    async tried() {
      await Promise.all(opened.sendings.map((sending) => sending.tried()))
    },
    apply(next) {
      if (JSON.stringify(next) === JSON.stringify(settings)) return
      close()
      settings = next
      opened = open(next, deps)
    },
    close,
  }
}

function open({ alerts, hostname }: WaysSettings, deps: WaysDeps): Opened {
  const { clock, random, log } = deps
  const channels = createChannels(alerts, { hostname }, deps)
  return {
    sendings: channels.map((channel) => createSending(channel, alerts.tries, { clock, random, log })),
    ping: alerts.ping && createPing(alerts.ping, deps),
  }
}
