/**
 * Which secondaries have yet to hear of which zone: those that wait for their turn, and those that were told and have not answered. For `notifier.ts`,
 * which tells them.
 */
import type { Timer } from '../../base/clock.ts'
import { type NameServer, nameServerText } from '../servers.ts'
import type { Secondary } from './permission.ts'
import type { Zone } from './zone.ts'

export interface NotifyTask {
  readonly secondary: Secondary
  readonly key: string
  zone: Zone
  tries: number
  timer: Timer | undefined
  /** Of the message that was sent last; -1: none was. */
  id: number
  requestMac: Buffer | undefined
}

/** One for each zone and secondary. */
export class NotifyTasks {
  /** In the order in which they came. */
  readonly #waiting = new Map<string, NotifyTask>()
  readonly #inFlight = new Map<string, NotifyTask>()
  readonly #byId = new Map<number, NotifyTask>()

  get size(): number {
    return this.#waiting.size + this.#inFlight.size
  }

  /** It has this zone to hear of: the one that waits takes it along, and one that is under way begins anew. */
  add(zone: Zone, secondary: Secondary): void {
    const key = `${zone.origin} ${nameServerText(secondary.server)}`
    const waiting = this.#waiting.get(key)
    if (waiting) {
      waiting.zone = zone
      return
    }
    // What is under way speaks of an older serial, and its answer too.
    const old = this.#inFlight.get(key)
    if (old) this.end(old)
    this.#waiting.set(key, { secondary, key, zone, tries: 0, timer: undefined, id: -1, requestMac: undefined })
  }

  /** Takes the next ones under way, as long as no more than so many are. */
  *begin(atMost: number): Iterable<NotifyTask> {
    for (const [key, task] of this.#waiting) {
      if (this.#inFlight.size >= atMost) return
      this.#waiting.delete(key)
      this.#inFlight.set(key, task)
      yield task
    }
  }

  /** @param draw  makes an id; asked until it is one that no other has */
  renumber(task: NotifyTask, draw: () => number): void {
    this.#byId.delete(task.id)
    do task.id = draw()
    while (this.#byId.has(task.id))
    this.#byId.set(task.id, task)
  }

  /** The one that an answer with this id from there belongs to. */
  answered(id: number, from: NameServer): NotifyTask | undefined {
    const task = this.#byId.get(id)
    return task && nameServerText(task.secondary.server) === nameServerText(from) ? task : undefined
  }

  /** One that was under way. */
  end(task: NotifyTask): void {
    task.timer?.cancel()
    this.#byId.delete(task.id)
    this.#inFlight.delete(task.key)
  }

  clear(): void {
    for (const task of this.#inFlight.values()) task.timer?.cancel()
    this.#waiting.clear()
    this.#inFlight.clear()
    this.#byId.clear()
  }
}
