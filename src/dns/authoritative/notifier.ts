/**
 * Tells secondaries that zones have changed (RFC 1996), a few at a time, and again until they say that they have heard it; `notify-tasks.ts` knows whom. Used by
 * `authority.ts`; messages leave by the sockets on which we listen, because that is where secondaries expect us.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { decodeMessage, encodeMessage } from '../message.ts'
import { isNotifyAnswer, notifyMessage } from '../notify.ts'
import { type NameServer, nameServerText } from '../servers.ts'
import { createAnswerVerifier } from '../tsig/answers.ts'
import { signRequest } from '../tsig/request.ts'
import { classCodes, rcodeName, rcodes } from '../types.ts'
import { nameText } from '../wire-name.ts'
import { type NotifyTask, NotifyTasks } from './notify-tasks.ts'
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

export function createNotifier(deps: NotifierDeps): Notifier {
  const { clock, random, log } = deps
  const tasks = new NotifyTasks()
  let isStopped = false

  function pump(): void {
    if (isStopped) return
    for (const task of tasks.begin(inFlightAtMost)) attempt(task)
  }

  function attempt(task: NotifyTask): void {
    const waitMs = waitsMs[task.tries]
    if (waitMs === undefined) {
      log.warn('dns notify unanswered', facts(task))
      settle(task)
      return
    }
    task.tries++
    tasks.renumber(task, () => random.bytes(2).readUInt16BE(0))
    const { zone, secondary } = task
    const message = encodeMessage(notifyMessage(zone.origin, task.id, { ...zone.soa, class: classCodes.IN }))
    const signed = secondary.key && signRequest(message, secondary.key, Math.floor(clock.now() / 1000))
    task.requestMac = signed?.mac
    if (!deps.send(signed?.bytes ?? message, secondary.server)) log.debug('dns notify no way', facts(task))
    task.timer = clock.after(waitMs, () => attempt(task))
  }

  function settle(task: NotifyTask): void {
    tasks.end(task)
    pump()
  }

  return {
    changed(zone) {
      for (const secondary of deps.secondaries) tasks.add(zone, secondary)
      pump()
    },

    receive(bytes, from) {
      const task = bytes.length >= 12 ? tasks.answered(bytes.readUInt16BE(0), from) : undefined
      if (!task) return
      const message = verified(bytes, task, Math.floor(clock.now() / 1000))
      const decoded = message && decodeMessage(message)
      if (decoded?.kind !== 'message' || !isNotifyAnswer(decoded.message, task.id, task.zone.origin)) return
      const { rcode } = decoded.message
      if (rcode === rcodes.noError) log.debug('dns notify heard', facts(task))
      else log.warn('dns notify refused', { ...facts(task), rcode: rcodeName(rcode) })
      settle(task)
    },

    stop() {
      isStopped = true
      tasks.clear()
    },

    get open() {
      return tasks.size
    },
  }
}

const facts = ({ zone, secondary }: NotifyTask) => ({
  zone: nameText(zone.origin),
  serial: zone.soa.data.serial,
  secondary: nameServerText(secondary.server),
})

/** The answer without its signature; undefined where it should have one and has not, or a wrong one. */
function verified(bytes: Buffer, task: NotifyTask, nowSeconds: number): Buffer | undefined {
  const { key } = task.secondary
  if (!key || !task.requestMac) return bytes
  const answer = createAnswerVerifier(key, task.requestMac).verify(bytes, nowSeconds)
  return answer.kind === 'verified' ? answer.message : undefined
}
