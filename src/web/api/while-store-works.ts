/** What is asked of the hold while its store does not answer: a fault that passes, and no error of ours. Used by `messages.ts` and `queue.ts`. */
import { StoreFailure } from '../../queue/queue.ts'
import type { Answered } from '../site.ts'

/** @param use  what the store is wanted for, in the words of the answer */
export async function whileStoreWorks<Value>(
  use: 'read' | 'read or written',
  work: () => Promise<Answered<Value>>,
): Promise<Answered<Value>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreFailure) return { kind: 'no', status: 503, why: `the store cannot be ${use} now` }
    throw error
  }
}
