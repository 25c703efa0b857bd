/** What the log hears of an attempt at which a backend spoke: a line for those that it took, for those that wait on, and for those that it refused. For `settle-attempt`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { loggedReply, type Reply } from '../../mail/reply.ts'
import type { Task } from '../../queue/queue.ts'
import { backendFields } from '../../routing/backend.ts'
import type { Way } from '../ways/lanes.ts'
import type { Spoken } from './attempt.ts'

export function tellSpoken(task: Task, way: Way, spoken: Spoken, { clock, log }: { clock: Clock; log: Log }): void {
  const { endpoint, possibleDuplicates } = spoken
  const parts = partsOf(spoken)
  for (const { event, indexes, reply } of parts) {
    const isOnly = parts.length === 1
    const to = isOnly ? task.recipients : task.recipients.filter(({ index }) => indexes.has(index))
    log.info(event, {
      id: task.message.id,
      from: task.message.envelope.sender?.text ?? '',
      to: to.map(({ recipient }) => recipient.text),
      size: task.message.size,
      route: way.route.id,
      ...(endpoint && backendFields(endpoint)),
      reply: isOnly || !reply ? spoken.why : loggedReply(reply),
      heldMs: clock.now() - task.message.receivedMs,
      possibleDuplicates: event === 'drained' ? possibleDuplicates || undefined : undefined,
    })
  }
}

interface Part {
  readonly event: 'drained' | 'held attempt' | 'refused'
  readonly indexes: ReadonlySet<number>
  /** To the first of them; undefined where the backend is silent. */
  readonly reply: Reply | undefined
}

function partsOf({ settlement, refused }: Spoken): readonly Part[] {
  const settled = settlement?.recipients ?? []
  const groups = [
    { event: 'drained', of: settled.filter(({ to }) => to.kind === 'gone') },
    { event: 'held attempt', of: settled.filter(({ to }) => to.kind !== 'gone') },
    { event: 'refused', of: refused },
  ] as const
  return groups.flatMap(({ event, of }) =>
    of.length === 0 ? [] : [{ event, indexes: new Set(of.map(({ index }) => index)), reply: of[0]?.reply }],
  )
}
