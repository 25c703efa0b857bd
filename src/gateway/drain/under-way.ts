/**
 * Which recipients are being attempted, over all lanes: when the configuration changes, rows move from lane to lane while attempts are under way,
 * and none may be made twice at a time. For `lane-drain`; one a drain.
 */
import type { Task } from '../../queue/queue.ts'

export interface UnderWay {
  /** The end of an attempt that is made of any of these recipients, or undefined. */
  of(task: Task): Promise<void> | undefined
  /** @returns what is to be called at the end */
  begin(task: Task): () => void
}

export function createUnderWay(): UnderWay {
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
      return () => {
        for (const name of names) ends.delete(name)
        resolve()
      }
    },
  }
}
