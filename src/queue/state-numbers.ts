/** The states by number, for counts that are kept in arrays: `lane-counts` and `domain-counts`. */
import { type RecipientState, recipientStates } from './queue.ts'

export const numberOfState = Object.fromEntries(recipientStates.map((state, number) => [state, number])) as Readonly<
  Record<RecipientState, number>
>
