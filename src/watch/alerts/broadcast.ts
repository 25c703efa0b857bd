/**
 * Every message to every channel that waypost.yaml names, and what becomes of it where a reload names others: those that stay go on with what they have,
 * and what those that left had not delivered is handed to those that are new. Made by `watch`.
 */
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../mail/address.ts'
import type { WatchingSettings } from '../settings.ts'
import type { AlertMessage } from './alerting.ts'
import { createChannels } from './channels.ts'
import type { ChannelDeps } from './http-channel.ts'
import { createPing, type Ping } from './ping.ts'
import { createSending, entriesOf, type Sending } from './sending.ts'
import type { Speaker } from './wording.ts'

export interface Broadcast {
  send(message: AlertMessage): void
  /** Waits until each channel has been tried once with what it has. */
  tried(): Promise<void>
  apply(settings: BroadcastSettings): void
  /** Nothing new begins. @returns what was taken, and no channel is known to have heard */
  close(): readonly AlertMessage[]
}

export interface BroadcastSettings {
  readonly alerts: WatchingSettings['alerts']
  readonly hostname: HostName
}

export interface BroadcastDeps extends ChannelDeps {
  readonly random: Random
  readonly log: Log
  /** What the dead man's ping stops for. */
  readonly whyNotAlive: () => string | undefined
}

/** One channel with its line; `key` is other where anything of it is. */
interface Line {
  readonly key: string
  readonly name: string
  readonly sending: Sending
}

export function createBroadcast(initial: BroadcastSettings, deps: BroadcastDeps): Broadcast {
  const { log } = deps
  const heard = new WeakSet<AlertMessage>()
  let lines = linesOf(initial, [])
  let pinging = pingOf(initial, undefined)

  function linesOf({ alerts, hostname }: BroadcastSettings, before: readonly Line[]): readonly Line[] {
    return oneByOne(alerts).flatMap((only) => {
      const key = JSON.stringify({ only, hostname, tries: alerts.tries })
      const known = before.find((line) => line.key === key)
      return known ? [known] : open(key, only, { hostname }, alerts.tries)
    })
  }

  function open(key: string, only: Named, speaker: Speaker, tries: number): Line[] {
    return createChannels(only, speaker, deps).map((channel) => ({
      key,
      name: channel.name,
      sending: createSending(channel, tries, { ...deps, heard: (message) => void heard.add(message) }),
    }))
  }

  function pingOf({ alerts: { ping } }: BroadcastSettings, before: Pinging | undefined): Pinging {
    const key = JSON.stringify(ping)
    if (before && before.key === key) return before
    before?.ping?.stop()
    return { key, ping: ping && createPing(ping, deps) }
  }

  return {
    send(message) {
      for (const { sending } of lines) sending.send(message)
    },
    async tried() {
      await Promise.all(lines.map(({ sending }) => sending.tried()))
    },
    apply(next) {
      const before = lines
      lines = linesOf(next, before)
      const added = lines.filter((line) => !before.includes(line))
      // Two that left have much the same; whoever is new hears it once.
      const left = new Set<AlertMessage>()
      for (const { name, sending } of before.filter((line) => !lines.includes(line))) {
        const messages = sending.stop()
        for (const message of messages) left.add(message)
        if (messages.length > 0 && added.length === 0)
          log.error('alerts dropped, their channel left the configuration', { channel: name, ...countOf(messages) })
      }
      for (const message of [...left].sort((one, other) => one.atMs - other.atMs))
        for (const { sending } of added) sending.send(message)
      pinging = pingOf(next, pinging)
    },
    close() {
      pinging.ping?.stop()
      const left = new Set<AlertMessage>()
      for (const { name, sending } of lines) {
        const messages = sending.stop()
        for (const message of messages) if (!heard.has(message)) left.add(message)
        if (messages.length > 0) log.warn('alerts not sent before the end', { channel: name, ...countOf(messages) })
      }
      return [...left]
    },
  }
}

type Named = Pick<BroadcastSettings['alerts'], 'email' | 'webhook' | 'command'>

interface Pinging {
  readonly key: string | undefined
  readonly ping: Ping | undefined
}

const none: Named = { email: [], webhook: [], command: [] }

const oneByOne = ({ email, webhook, command }: Named): readonly Named[] => [
  ...email.map((each) => ({ ...none, email: [each] })),
  ...webhook.map((each) => ({ ...none, webhook: [each] })),
  ...command.map((each) => ({ ...none, command: [each] })),
]

const countOf = (messages: readonly AlertMessage[]) => ({
  messages: messages.length,
  entries: messages.reduce((sum, message) => sum + entriesOf(message), 0),
})
