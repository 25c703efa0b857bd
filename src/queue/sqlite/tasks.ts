/** What the drain takes out: tasks of a lane, and their bodies, of which small ones come along with the tasks. For `queue.ts` beside. */
import type { Body } from '../../mail/message.ts'
import type { Lane, OpenedBody, Queue, Task } from '../queue.ts'
import type { FoundTasks, WantedTasks } from './next-rows.ts'
import { allowedLimit, type QueueParts } from './parts.ts'

/** Octets of bodies that come with the tasks of one call. */
const mostAheadOnce = 1024 * 1024

export function createTasks({
  room,
  clock,
  counts,
  files,
  ahead,
  markCorrupt,
  decode,
}: QueueParts): Pick<Queue, 'next' | 'nextUnknown' | 'body'> {
  const wanted = (lane: Lane, limit: number, without: ReadonlySet<string>): WantedTasks => ({
    lane,
    limit: allowedLimit(limit),
    without: [...without],
    nowMs: clock.now(),
    mostOctets: mostAheadOnce,
  })

  function tasksOf({ tasks, bodies, lane: number }: FoundTasks, lane: Lane): Task[] {
    bodies.forEach((content, at) => {
      const message = tasks[at]?.message
      if (content && message) ahead.put(message[1], { content, has8bit: message[5] === 1 })
    })
    return tasks.flatMap((row) =>
      decode([row], [[number, lane]]).map((entry) => ({ ...entry, lane, turnMs: row.turn })),
    )
  }

  async function body(id: string): Promise<OpenedBody> {
    const known = ahead.get(id)
    if (known) return { kind: 'opened', body: bodyInMemory(known.content, known.has8bit) }
    const found = await room.read('bodyOf', id)
    if (found.kind === 'gone') return found
    if (found.kind === 'content') return { kind: 'opened', body: bodyInMemory(found.content, found.has8bit) }
    const opened = found.kind === 'file' ? await files.open(id, found) : found
    if (opened.kind === 'corrupt') markCorrupt(id, opened.why)
    return opened
  }

  return {
    next: async (lane, limit, without) => tasksOf(await room.read('readyTasks', wanted(lane, limit, without)), lane),
    async nextUnknown(lane, limit, without) {
      // Asked for as often as what is ready, and nearly never there.
      if (!counts.mayHave(lane, 'unknown')) return []
      return tasksOf(await room.read('unknownTasks', wanted(lane, limit, without)), lane)
    },
    body,
  }
}

function bodyInMemory(content: Uint8Array, has8bit: boolean): Body {
  let blocks: readonly Buffer[] = [Buffer.from(content.buffer, content.byteOffset, content.byteLength)]
  return {
    size: content.length,
    has8bit,
    blocks: () => blocks,
    release() {
      blocks = []
    },
  }
}
