/**
 * Tells secondaries that zones have changed (RFC 1996), a few at a time, and again until they say that they have heard it. Used by
 * `authority.ts`; messages leave by the sockets on which we listen, because that is where secondaries expect us.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { decodeMessage, encodeMessage } from '../message.ts'
import { isNotifyAnswer, notifyMessage } from '../notify.ts'
import { type NameServer, nameServerText } from '../servers.ts'
import { createAnswerVerifier } from '../tsig/answers.ts'
import { signRequest } from '../tsig/request.ts'
import { classCodes, rcodeName, rcodes } from '../types.ts'
import { nameText } from '../wire-name.ts'
import type { Secondary } from './permission.ts'
import type { Zone } from './zone.ts'

export interface Notifier {
  /** Tells every secondary, now or when its turn comes. */
  changed(zone: Zone): void
  /** Takes what came to our sockets and is an answer. */
  receive(bytes: Buffer, from: NameServer): void
  stop(): void
  /** Notifications that nobody has answered yet. */
  readonly open: number
}

export interface NotifierDeps {
  readonly secondaries: readonly Secondary[]
  /** @returns false where there is no way to that address */
  readonly send: (message: Buffer, to: NameServer) => boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Waits behind each try, milliseconds. RFC 1996 §3.6 suggests up to five tries a minute apart; the first losses are made good sooner. */
const waitsMs = [2_000, 8_000, 30_000, 60_000, 60_000]
const inFlightAtMost = 100

interface Task {
  readonly secondary: Secondary
  zone: Zone
  tries: number
  timer: Timer | undefined
  id: number
  requestMac: Buffer | undefined
}

export function createNotifier(deps: NotifierDeps): Notifier {
  const { clock, random, log } = deps
  /** By zone and secondary, in the order in which they came. */
  const waiting = new Map<string, Task>()
  const inFlight = new Map<string, Task>()
  const byId = new Map<number, string>()
  let isStopped = false

  const keyOf = (zone: Zone, secondary: Secondary) => `${zone.origin} ${nameServerText(secondary.server)}`

  function pump(): void {
    for (const [key, task] of waiting) {
      if (isStopped || inFlight.size >= inFlightAtMost) return
      waiting.delete(key)
      inFlight.set(key, task)
      attempt(key, task)
    }
  }

  function attempt(key: string, task: Task): void {
    const waitMs = waitsMs[task.tries]
    if (waitMs === undefined) {
      log.warn('dns notify unanswered', facts(task))
      settle(key, task)
      return
    }
    task.tries++
    byId.delete(task.id)
    do task.id = random.bytes(2).readUInt16BE(0)
    while (byId.has(task.id))
    byId.set(task.id, key)
    const { zone, secondary } = task
    const message = encodeMessage(notifyMessage(zone.origin, task.id, { ...zone.soa, class: classCodes.IN }))
    const signed = secondary.key && signRequest(message, secondary.key, Math.floor(clock.now() / 1000))
    task.requestMac = signed?.mac
    if (!deps.send(signed?.bytes ?? message, secondary.server)) log.debug('dns notify no way', facts(task))
    task.timer = clock.after(waitMs, () => attempt(key, task))
  }

  function settle(key: string, task: Task): void {
    task.timer?.cancel()
    byId.delete(task.id)
    inFlight.delete(key)
    pump()
  }

  const facts = ({ zone, secondary }: Task) => ({
    zone: nameText(zone.origin),
    serial: zone.soa.data.serial,
    secondary: nameServerText(secondary.server),
  })

  return {
    changed(zone) {
      for (const secondary of deps.secondaries) {
        const key = keyOf(zone, secondary)
        const open = waiting.get(key)
        if (open) {
          open.zone = zone
          continue
        }
        // What is under way speaks of an older serial, and its answer too.
        const old = inFlight.get(key)
        if (old) {
          old.timer?.cancel()
          byId.delete(old.id)
          inFlight.delete(key)
        }
        waiting.set(key, { secondary, zone, tries: 0, timer: undefined, id: -1, requestMac: undefined })
      }
      pump()
    },

    receive(bytes, from) {
      const key = bytes.length >= 12 ? byId.get(bytes.readUInt16BE(0)) : undefined
      const task = key === undefined ? undefined : inFlight.get(key)
      if (key === undefined || !task || nameServerText(task.secondary.server) !== nameServerText(from)) return
      const message = verified(bytes, task, Math.floor(clock.now() / 1000))
      const decoded = message && decodeMessage(message)
      if (decoded?.kind !== 'message' || !isNotifyAnswer(decoded.message, task.id, task.zone.origin)) return
      const { rcode } = decoded.message
      if (rcode === rcodes.noError) log.debug('dns notify heard', facts(task))
      else log.warn('dns notify refused', { ...facts(task), rcode: rcodeName(rcode) })
      settle(key, task)
    },

    stop() {
      isStopped = true
      for (const task of inFlight.values()) task.timer?.cancel()
      waiting.clear()
      inFlight.clear()
      byId.clear()
    },

    get open() {
      return waiting.size + inFlight.size
    },
  }
}

/** The answer without its signature; undefined where it should have one and has not, or a wrong one. */
function verified(bytes: Buffer, task: Task, nowSeconds: number): Buffer | undefined {
  const { key } = task.secondary
  if (!key || !task.requestMac) return bytes
  const answer = createAnswerVerifier(key, task.requestMac).verify(bytes, nowSeconds)
  return answer.kind === 'verified' ? answer.message : undefined
}
