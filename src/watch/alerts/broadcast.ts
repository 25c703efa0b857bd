/**
 * Every message to every channel that waypost.yaml names, and what becomes of it where a reload names others: those that stay go on with what they have,
 * and what those that left had not delivered is handed to those that are new. Made by `watch`.
 */
import { createHash } from 'node:crypto'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { HostName } from '../../mail/address.ts'
import type { WatchingSettings } from '../settings.ts'
import type { AlertMessage } from './alerting.ts'
import { createChannels } from './channels.ts'
import type { ChannelDeps } from './http-channel.ts'
import { createPing, type Ping } from './ping.ts'
import { createSending, entriesOf, type Sending } from './sending.ts'
import { joined, type Unsent, type UnsentMessage } from './unsent.ts'
import type { Speaker } from './wording.ts'

export interface Broadcast {
  send(message: AlertMessage): void
  /** Waits until each channel has been tried once with what it has. */
  tried(): Promise<void>
  apply(settings: BroadcastSettings): void
  /** Nothing new begins. What no channel is known to have heard stays kept for the next start. */
  close(): void
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
  readonly unsent: Unsent
}

/** One channel with its line; `key` is other where anything of it is. */
interface Line {
  readonly key: string
  /** The same after a restart; of the key, which may be long. */
  readonly id: string
  readonly name: string
  readonly sending: Sending
}

export function createBroadcast(initial: BroadcastSettings, deps: BroadcastDeps): Broadcast {
  const { log, unsent } = deps
  let lines = linesOf(initial, [])
  let pinging = pingOf(initial, undefined)
  sendLeft()

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
      id: createHash('sha256').update(`${key} ${channel.name}`).digest('base64url').slice(0, 22),
      name: channel.name,
      sending: createSending(channel, tries, deps),
    }))
  }

  /** What an earlier process could not get rid of: to its channel, or where that has changed since, to those that were left nothing. */
  function sendLeft(): void {
    const left = new Map(unsent.left())
    const without = lines.filter(({ id }) => !left.has(id))
    for (const { id, sending } of lines) {
      const kept = left.get(id)
      if (kept) sending.send(kept)
      left.delete(id)
    }
    handOver([{ left: [...left.values()] }], without)
  }

  /** To other channels, as one message; nothing is over before they have it kept. */
  function handOver(
    from: readonly { readonly channel?: string; readonly left: readonly UnsentMessage[] }[],
    to: readonly Line[],
  ): void {
    const left = from.flatMap((each) => each.left)
    if (left.length === 0) return
    if (to.length === 0)
      for (const { left: dropped, ...of } of from)
        if (dropped.length > 0)
          log.error('alerts dropped, their channel left the configuration', { ...of, ...countOf(dropped) })
    const message = joined(left.map((kept) => kept.message).sort((one, other) => one.atMs - other.atMs))
    const kept = to.map(({ id, sending }) => ({ sending, kept: unsent.keep(id, message) }))
    for (const each of kept) each.sending.send(each.kept)
    void Promise.all(kept.map(({ kept: { written } }) => written)).then(() => left.forEach(({ over }) => void over()))
  }

  function pingOf({ alerts: { ping } }: BroadcastSettings, before: Pinging | undefined): Pinging {
    const key = JSON.stringify(ping)
    if (before && before.key === key) return before
    before?.ping?.stop()
    return { key, ping: ping && createPing(ping, deps) }
  }

  return {
    send(message) {
      for (const { id, sending } of lines) sending.send(unsent.keep(id, message))
    },
    async tried() {
      await Promise.all(lines.map(({ sending }) => sending.tried()))
    },
    apply(next) {
      const before = lines
      lines = linesOf(next, before)
      const added = lines.filter((line) => !before.includes(line))
      // Two that left have much the same; whoever is new hears it once.
      const gone = before.filter((line) => !lines.includes(line))
      handOver(
        gone.map(({ name, sending }) => ({ channel: name, left: sending.stop() })),
        added,
      )
      pinging = pingOf(next, pinging)
    },
    close() {
      pinging.ping?.stop()
      for (const { name, sending } of lines) {
        const left = sending.stop()
        if (left.length > 0) log.warn('alerts not sent before the end', { channel: name, ...countOf(left) })
      }
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

const countOf = (left: readonly UnsentMessage[]) => ({
  messages: left.length,
  entries: left.reduce((sum, { message }) => sum + entriesOf(message), 0),
})
