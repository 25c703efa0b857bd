/**
 * Which recipients are being attempted, over all lanes: when the configuration changes, rows move from lane to lane while attempts are under way,
 * and none may be made twice at a time. For `lane-drain`, whose runs may end before an attempt that is mute; one a drain.
 */
import type { Lane, Task } from '../../queue/queue.ts'

export interface UnderWay {
  /** The end of an attempt that is made of any of these recipients, or undefined. */
  of(task: Task): Promise<void> | undefined
  /** @returns what is to be called at the end */
  begin(task: Task): () => void
  /** Whether an attempt of this message is under way. */
  has(id: string): boolean
  /** Ids of messages that are being attempted as tasks of this lane. */
  inLane(lane: Lane): Iterable<string>
}

export function createUnderWay(): UnderWay {
  const tasks = new Set<Task>()
  const ends = new Map<string, Promise<void>>()
  const namesOf = ({ message, recipients }: Task) => recipients.map(({ index }) => `${message.id} ${index}`)
  return {
    of(task) {
      for (const name of namesOf(task)) {
        const end = ends.get(name)
        if (end) return end
      }
      return undefined
    },
    begin(task) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const names = namesOf(task)
      for (const name of names) ends.set(name, promise)
      tasks.add(task)
      return () => {
        for (const name of names) ends.delete(name)
        tasks.delete(task)
        resolve()
      }
    },
    // They are few: what backends are asked about, and what is being written down.
    has(id) {
      for (const { message } of tasks) if (message.id === id) return true
      return false
    },
    *inLane(lane) {
      for (const task of tasks) if (task.lane === lane) yield task.message.id
    },
  }
}
