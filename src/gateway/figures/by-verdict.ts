/** Counts of messages by what became of them: in every table of `figures`. */
import { type MessageVerdict, messageVerdicts } from '../events.ts'

export type ByVerdict = Readonly<Record<MessageVerdict, number>>

export const noVerdicts = () =>
  Object.fromEntries(messageVerdicts.map((verdict) => [verdict, 0])) as Record<MessageVerdict, number>
