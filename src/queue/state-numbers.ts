/** The states by number: as rows keep them, and for counts that are kept in arrays (`lane-counts`, `domain-counts`). */
import { type RecipientState, recipientStates } from './queue.ts'

export const numberOfState = Object.fromEntries(recipientStates.map((state, number) => [state, number])) as Readonly<
  Record<RecipientState, number>
>

/** On its way to a backend, now or later: nobody but time and a backend is needed for it. */
export const goingStates = ['ready', 'waiting', 'unknown'] as const satisfies readonly RecipientState[]

const { ready, waiting, unknown } = numberOfState
/** Whether a state, by its number, is one of `goingStates`. */
export const isGoing = (state: number): boolean => state === ready || state === waiting || state === unknown
