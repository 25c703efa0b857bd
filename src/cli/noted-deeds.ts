/**
 * Commands that change something leave a line in the history, whoever gave them: the handlers of the control socket, and those of a stopped gateway's store, with a
 * note behind each that was done. A command on very many messages comes in pieces, and is one line.
 */
import { z } from 'zod'
import { type Clock, Deadline } from '../base/clock.ts'
import type { ControlAnswer, ControlHandlers } from '../gateway/operate/control.ts'
import { type Deed, deedKind, deedText } from '../gateway/operate/deed.ts'
import { acts } from '../gateway/operate/queue-shapes.ts'
import type { History } from '../watch/history.ts'

export interface NotedDeeds {
  readonly handlers: ControlHandlers
  /** What is still being added up is noted. */
  end(): void
}

export interface NotedDeedsDeps {
  readonly clock: Clock
  readonly history: Pick<History, 'note'>
}

/** A command that was broken off between two of its pieces. */
const silentMs = 10_000

/** The command of a running gateway by which `apply` says what it did. */
export const appliedCommand = 'history.applied'
const appliedShape = z.strictObject({
  zones: z.array(z.strictObject({ zone: z.string().max(300), changes: z.number().int().min(0) })).max(50),
})

/** The same of `migrate`, and of the steps that `apply` does. */
export const migratedCommand = 'history.migrated'
const words = z.string().max(10_000)
const migratedShape = z.strictObject({
  domain: z.string().max(300),
  move: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('begun'), to: words }),
    z.strictObject({ kind: z.literal('step'), step: words }),
    z.strictObject({ kind: z.enum(['turned-back', 'ended-unwritten', 'forgotten']) }),
  ]),
})

const notUnderstood: ControlAnswer = {
  kind: 'failed',
  why: 'the gateway does not understand this; is it of another version?',
}

const unnamed = 'somebody on the command line'

/** It was out, or in, before: nothing was done. */
const wasSo = (result: unknown) => z.object({ wasSo: z.literal(true) }).safeParse(result).success

export function notedDeeds(handlers: ControlHandlers, { clock, history }: NotedDeedsDeps): NotedDeeds {
  /** Pieces of one command, by what it does and who gave it. */
  const sums = new Map<
    string,
    { readonly by: string; readonly deed: Extract<Deed, { kind: 'act' }>; messages: number }
  >()
  const silence = new Deadline(clock, end)

  function note(deed: Deed, by: string): void {
    const title = deedText(deed, by)
    if (title === undefined) return
    const domain = deed.kind === 'apply' ? deed.zone : deed.kind === 'migrate' ? deed.domain : null
    history.note({ atMs: clock.now(), kind: deedKind, severity: 'notice', domain, title, detail: '' })
  }

  function add(act: Extract<Deed, { kind: 'act' }>['act'], messages: number, by: string, isEnd: boolean): void {
    const key = `${act} ${by}`
    const sum = sums.get(key) ?? { by, deed: { kind: 'act', act, messages: 0 }, messages: 0 }
    sum.messages += messages
    sums.set(key, sum)
    if (isEnd) {
      sums.delete(key)
      note({ ...sum.deed, messages: sum.messages }, by)
    } else silence.arm(silentMs)
  }

  function end(): void {
    for (const { by, deed, messages } of sums.values()) note({ ...deed, messages }, by)
    sums.clear()
  }

  const done: Readonly<
    Record<string, (given: Readonly<Record<string, unknown>>, result: unknown, by: string) => void>
  > = {
    'backend.drain'({ url }, result, by) {
      if (!wasSo(result)) note({ kind: 'backend-out', backend: String(url) }, by)
    },
    'backend.enable'({ url }, result, by) {
      if (!wasSo(result)) note({ kind: 'backend-in', backend: String(url) }, by)
    },
    'config.reload': (_, __, by) => note({ kind: 'reload' }, by),
    'queue.act'({ act }, result, by) {
      const read = z.object({ messages: z.number(), next: z.string().nullable() }).safeParse(result)
      const what = z.enum(acts).exclude(['count']).safeParse(act)
      if (read.success && what.success) add(what.data, read.data.messages, by, read.data.next === null)
    },
    'queue.resume'(_, result, by) {
      const read = z.object({ resumed: z.array(z.string()) }).safeParse(result)
      if (read.success) note({ kind: 'resume', backends: read.data.resumed }, by)
    },
    'queue.drop': (_, __, by) => add('take', 1, by, false),
    'queue.bringIn'(_, result, by) {
      if (z.object({ kind: z.literal('held') }).safeParse(result).success) add('bringIn', 1, by, false)
    },
  }

  const noted = Object.entries(handlers).map(([command, handler]) => {
    const tell = Object.hasOwn(done, command) ? done[command] : undefined
    if (!tell) return [command, handler] as const
    return [
      command,
      async (given: Readonly<Record<string, unknown>>, by = unnamed): Promise<ControlAnswer> => {
        const answer = await handler(given, by)
        if (answer.kind === 'done') tell(given, answer.result, by)
        return answer
      },
    ] as const
  })

  return {
    handlers: {
      ...Object.fromEntries(noted),
      [appliedCommand](given, by = unnamed): ControlAnswer {
        const read = appliedShape.safeParse(given)
        if (!read.success) return notUnderstood
        for (const { zone, changes } of read.data.zones) note({ kind: 'apply', zone, changes }, by)
        return { kind: 'done', result: null }
      },
      [migratedCommand](given, by = unnamed): ControlAnswer {
        const read = migratedShape.safeParse(given)
        if (!read.success) return notUnderstood
        note({ kind: 'migrate', ...read.data }, by)
        return { kind: 'done', result: null }
      },
    },
    end() {
      silence.end()
      end()
    },
  }
}
