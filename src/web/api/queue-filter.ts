/** Which held messages are meant, as a page of the dashboard says it. A part of `queue.ts`. */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import { type QueueFilter, recipientStates } from '../../queue/queue.ts'

export const filterShape = z.strictObject({
  ids: z.array(z.string().max(64)).max(2000).optional(),
  domain: z.string().max(255).optional(),
  sender: z.string().max(400).optional(),
  recipient: z.string().max(400).optional(),
  states: z.array(z.enum(recipientStates)).optional(),
  receivedBeforeMs: z.number().optional(),
  receivedAfterMs: z.number().optional(),
})
export type FilterWords = z.output<typeof filterShape>

const stateList = z.array(z.enum(recipientStates))
const isStates = (said: string) => said === '' || stateList.safeParse(said.split(',')).success

/** As a question says them. */
export const statesText = z
  .string()
  .max(200)
  .refine(isStates, `one or more, with commas between, of ${recipientStates.join(', ')}`)
  .describe('Separated by commas.')

/** @param said  as `statesText` lets it in */
export const readStates = (said: string | undefined): FilterWords['states'] =>
  said === undefined || said === '' ? undefined : stateList.parse(said.split(','))

/** Without what was left empty. */
export const filterOf = (said: FilterWords): QueueFilter =>
  Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== '')) as QueueFilter

/** What the log says of a filter: how it was chosen, without a person's address. */
export function auditedFilter({ ids, domain, states, sender, recipient }: FilterWords) {
  return {
    ...(ids ? { ids: ids.slice(0, 20).map((id) => printable(id, 64)) } : {}),
    ...(domain === undefined ? {} : { domain: printable(domain, 255) }),
    ...(states ? { states } : {}),
    ...(sender !== undefined || recipient !== undefined ? { byAddress: true } : {}),
  }
}
