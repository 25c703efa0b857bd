/**
 * What every engine of the hold must do (`src/queue/queue.ts`), as tests over "make a queue": `src/queue/contract.test.ts` runs them for the engines
 * that there are. A file a topic.
 */
import { test } from 'node:test'
import { content } from './content.ts'
import { ends } from './ends.ts'
import { lanes } from './lanes.ts'
import type { MakeQueue } from './made-queue.ts'
import { model } from './model.ts'
import { order } from './order.ts'
import { people } from './people.ts'
import { quotas } from './quotas.ts'
import { settling } from './settling.ts'
import { unknown } from './unknown.ts'

const topics = [content, order, settling, unknown, ends, people, lanes, quotas, model]

export function testQueue(engine: string, make: MakeQueue): void {
  for (const cases of topics)
    for (const [what, run] of Object.entries(cases)) test(`${engine}: ${what}`, (t) => run(t, make))
}
