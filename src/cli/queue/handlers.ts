/**
 * `queue.…` on the control socket: what is asked is checked, done by the gateway's own operations, and answered. On the store of a stopped gateway
 * `access.ts` calls the same handlers in this process, so that a command need not know which of the two it talks to.
 */
import { z } from 'zod'
import type { HoldForPeople } from '../../gateway/hold-parts.ts'
import type { ControlAnswer, ControlHandlers } from '../../gateway/operate/control.ts'
import { acts, queueFilter } from '../../gateway/operate/queue-shapes.ts'

const id = z.string().max(64)
const place = z.string().max(40).optional()

const shapes = {
  list: z.strictObject({ filter: queueFilter, limit: z.number().int().min(1).max(1000), after: place }),
  find: z.strictObject({ prefix: z.string().max(64) }),
  show: z.strictObject({ id }),
  cat: z.strictObject({ id, offset: z.number().int().min(0) }),
  act: z.strictObject({ act: z.enum(acts), filter: queueFilter, after: place, to: z.string().max(4096).optional() }),
  stats: z.strictObject({ most: z.number().int().min(0).max(100_000) }),
  resume: z.strictObject({ backend: z.string().max(4096).optional() }),
  take: z.strictObject({ id, filter: queueFilter }),
  drop: z.strictObject({ id, indexes: z.array(z.number().int().min(0)).max(100_000) }),
  inFolder: z.strictObject({
    folder: z.string().max(4096),
    id,
    envelopeFile: z.string().max(200),
    takesOwnMail: z.boolean().default(false),
  }),
}

/** @param heldMail  undefined where the gateway holds nothing */
export function queueHandlers(heldMail: HoldForPeople | undefined): ControlHandlers {
  const handler =
    <Shape extends z.ZodType>(shape: Shape, run: (given: z.output<Shape>, mail: HoldForPeople) => Promise<unknown>) =>
    async (given: Readonly<Record<string, unknown>>): Promise<ControlAnswer> => {
      if (!heldMail) return { kind: 'failed', why: 'this gateway holds no mail' }
      const parsed = shape.safeParse(given)
      if (!parsed.success)
        return { kind: 'failed', why: 'the gateway does not understand this; is it of another version?' }
      return { kind: 'done', result: await run(parsed.data, heldMail) }
    }
  return {
    'queue.list': handler(shapes.list, ({ filter, limit, after }, { operations }) =>
      operations.list(filter, limit, after),
    ),
    'queue.find': handler(shapes.find, ({ prefix }, { operations }) => operations.find(prefix)),
    'queue.show': handler(shapes.show, async (asked, { operations }) => (await operations.show(asked.id)) ?? null),
    'queue.cat': handler(shapes.cat, (asked, { operations }) => operations.cat(asked.id, asked.offset)),
    'queue.act': handler(shapes.act, ({ act, filter, after, to }, { operations }) =>
      operations.act(act, filter, after, to),
    ),
    'queue.stats': handler(shapes.stats, ({ most }, { operations }) => operations.stats(most)),
    'queue.resume': handler(shapes.resume, async ({ backend }, { operations }) => ({
      resumed: operations.resume(backend),
    })),
    'queue.pack': handler(shapes.show, (asked, { transfer }) => transfer.pack(asked.id)),
    'queue.take': handler(shapes.take, (asked, { transfer }) => transfer.take(asked.id, asked.filter)),
    'queue.drop': handler(shapes.drop, async (asked, { transfer }) => {
      await transfer.drop(asked.id, asked.indexes)
      return null
    }),
    'queue.compare': handler(shapes.inFolder, (from, { transfer }) => transfer.compare(from)),
    'queue.bringIn': handler(shapes.inFolder, (from, { transfer }) => transfer.bringIn(from)),
    'queue.letGo': handler(shapes.inFolder, (from, { transfer }) => transfer.letGo(from)),
  }
}
