/**
 * The judge of everything that loses messages or makes more of them: it knows each message that was sent and what its sender heard, looks at what
 * backends have and what is held in the end, and says what is missing, what is not what was sent, and which second copies have no excuse.
 *
 * A sender that heard 250 may forget its message. So for each of its recipients it is with a backend, or held, to the octet. Second copies are
 * excused where nobody could know better: an answer of a backend that was cut off, a process that died between reading that answer and recording it
 * or passing it on, and a sender that came again because it had heard nothing behind its dot (RFC 1047). What was recorded, the gateway's log says:
 * a copy whose delivery it tells of excuses no other.
 */
import { createHash } from 'node:crypto'
import type { Random } from '../../src/base/random.ts'
import type { Queue } from '../../src/queue/queue.ts'
import type { BackendMessage } from './words.ts'

/** One message, with its number in the header. */
export interface Numbered {
  readonly number: number
  readonly to: readonly string[]
  readonly content: Buffer
}

export interface OracleBackend {
  readonly messages: readonly BackendMessage[]
}

export interface Judgement {
  /** Messages whose sender heard 250. */
  readonly promised: number
  /** Their copies, by recipient. */
  readonly atBackends: number
  readonly held: number
  /** `NUMBER RECIPIENT`: promised, and nowhere. */
  readonly lost: readonly string[]
  /** Whose octets are not those that were sent. */
  readonly changed: readonly string[]
  /** Copies beyond the first that have an excuse, those that a backend has and never answered for among them; and those that have none. */
  readonly excused: number
  readonly unexcused: readonly string[]
  /** Messages that were refused for good while the sender waited, and are somewhere nevertheless. */
  readonly undead: readonly string[]
}

export interface Oracle {
  /** Messages whose sender has heard 250 so far. */
  readonly promised: number
  next(to: readonly string[], size: number, random: Random): Numbered
  /** What the sender heard last. */
  heard(message: Numbered, code: number): void
  /** The sender heard nothing behind its dot. */
  unheard(message: Numbered): void
  /** The gateway was killed just now. */
  killed(): void
  /** This backend was killed or has broken sessions off just now. */
  brokenOff(backend: OracleBackend): void
  /** When the dot of a message came: call it as the backend's `afterDot`, or before it answers. */
  arrived(message: BackendMessage): void
  /** What a gateway that has ended wrote to its log: what it tells of as delivered is recorded, or was passed on. */
  logged(lines: readonly Readonly<Record<string, unknown>>[]): void
  judge(backends: readonly OracleBackend[], queue: Pick<Queue, 'list' | 'body'>): Promise<Judgement>
}

/** So long before an end an answer may have been given that was not recorded, where the machine is busy. Who records later has no excuse. */
const aboutMs = 10_000

/** Of one message for one recipient. */
interface Copies {
  backend: number
  /** A backend has it, and nobody heard so. */
  cut: number
  held: number
  /** By the gateway's id: those that a backend answered 2yz for, and how many of them were followed by an end. */
  readonly ids: Map<string, { taken: number; beforeAnEnd: number }>
}

interface Story {
  readonly message: Numbered
  readonly sha256: string
  code: number | undefined
  unheard: number
}

/** What the oracle has been told. Moments are those of `performance.now()`. */
interface Told {
  readonly stories: Map<number, Story>
  readonly deaths: number[]
  readonly breaks: Map<OracleBackend, number[]>
  readonly arrivals: Map<BackendMessage, number>
  /** `ID RECIPIENT`: how often its delivery is told of. */
  readonly recorded: Map<string, number>
}

/** What is there in the end. */
interface Found {
  /** By `NUMBER RECIPIENT`. */
  readonly copies: ReadonlyMap<string, Copies>
  readonly changed: readonly string[]
}

export function createOracle(): Oracle {
  const told: Told = { stories: new Map(), deaths: [], breaks: new Map(), arrivals: new Map(), recorded: new Map() }
  const { stories, deaths, breaks, arrivals, recorded } = told
  let last = 0
  let promised = 0

  const storyOf = (message: Numbered): Story => {
    const story = stories.get(message.number)
    if (!story) throw new TypeError(`no message ${message.number}`)
    return story
  }

  return {
    get promised() {
      return promised
    },
    next(to, size, random) {
      const number = ++last
      const content = contentOf(number, size, random)
      stories.set(number, {
        message: { number, to, content },
        sha256: sha256Of(content),
        code: undefined,
        unheard: 0,
      })
      return { number, to, content }
    },
    heard(message, code) {
      storyOf(message).code = code
      if (code === 250) promised++
    },
    unheard: (message) => void storyOf(message).unheard++,
    killed: () => void deaths.push(performance.now()),
    brokenOff: (backend) => void breaks.set(backend, [...(breaks.get(backend) ?? []), performance.now()]),
    arrived: (message) => void arrivals.set(message, performance.now()),
    logged(lines) {
      for (const { event, id, to } of lines) {
        if ((event !== 'delivered' && event !== 'drained') || !Array.isArray(to)) continue
        for (const recipient of to) {
          const name = `${id} ${recipient}`
          recorded.set(name, (recorded.get(name) ?? 0) + 1)
        }
      }
    },
    judge: async (backends, queue) => judgementOf(await find(backends, queue, told), told),
  }
}

/** Counts each message for each recipient, at the backends and in the hold, and compares its octets. */
async function find(
  backends: readonly OracleBackend[],
  queue: Pick<Queue, 'list' | 'body'>,
  told: Told,
): Promise<Found> {
  const copies = new Map<string, Copies>()
  const changed: string[] = []
  const copyOf = (number: number, recipient: string) => {
    const name = `${number} ${recipient}`
    const copy = copies.get(name) ?? noCopies()
    copies.set(name, copy)
    return copy
  }
  const look = (content: Buffer, recipients: readonly string[], where: string): number | undefined => {
    const number = numberOf(content)
    const story = number === undefined ? undefined : told.stories.get(number)
    const isSame = story !== undefined && sha256Of(withoutTrace(content)) === story.sha256
    if (!isSame) changed.push(`${number} ${recipients.join(',')} ${where}`)
    return number
  }
  for (const backend of backends) {
    for (const message of backend.messages) {
      const number = look(message.content, message.to, 'at a backend')
      if (number === undefined) continue
      const isBeforeEnd = isBeforeAnEnd(message, backend, told)
      message.to.forEach((recipient, at) => {
        // With LMTP one answer a recipient.
        const answer = message.answers[message.answers.length > 1 ? at : 0]
        countAtBackend(copyOf(number, recipient), answer, `${idOf(message.content)} ${recipient}`, isBeforeEnd)
      })
    }
  }
  for await (const { number, recipients } of heldMessages(queue, look)) {
    for (const recipient of recipients) copyOf(number, recipient).held++
  }
  return { copies, changed }
}

const noCopies = (): Copies => ({ backend: 0, cut: 0, held: 0, ids: new Map() })

/** @param id  the gateway's, and the recipient */
function countAtBackend(copy: Copies, answer: string | undefined, id: string, isBeforeEnd: boolean): void {
  if (!answer || !/^[245]/.test(answer)) copy.cut++
  if (!answer?.startsWith('2')) return
  copy.backend++
  const of = copy.ids.get(id) ?? { taken: 0, beforeAnEnd: 0 }
  copy.ids.set(id, of)
  of.taken++
  if (isBeforeEnd) of.beforeAnEnd++
}

/** Whether the process died, or the backend broke off, before its answer need have been recorded. */
function isBeforeAnEnd(message: BackendMessage, backend: OracleBackend, { arrivals, deaths, breaks }: Told): boolean {
  const atMs = arrivals.get(message)
  if (atMs === undefined) return false
  return [...deaths, ...(breaks.get(backend) ?? [])].some((endMs) => endMs >= atMs && endMs - atMs < aboutMs)
}

function judgementOf({ copies, changed }: Found, { stories, recorded }: Told): Judgement {
  const sums = { promised: 0, atBackends: 0, held: 0, excused: 0 }
  const [lost, unexcused, undead]: [string[], string[], string[]] = [[], [], []]
  for (const { message, code, unheard } of stories.values()) {
    if (code === 250) sums.promised++
    for (const recipient of message.to) {
      const name = `${message.number} ${recipient}`
      const copy = copies.get(name) ?? noCopies()
      const { backend, cut, held } = copy
      const excuses = excusesOf(copy, recorded) + unheard
      const all = backend + held
      sums.atBackends += backend
      sums.held += held
      if (code === 250 && all === 0) lost.push(name)
      if (code !== undefined && code >= 500 && all > excuses) undead.push(name)
      if (all > 0) sums.excused += cut
      if (all > 1 && all - 1 <= excuses) sums.excused += all - 1
      if (all > 1 && all - 1 > excuses)
        unexcused.push(`${name}: ${backend} at backends, ${held} held, of ${message.to.length} recipients`)
    }
  }
  return { ...sums, lost, changed, unexcused, undead }
}

/** Answers that an end may have kept from being recorded: a copy whose delivery is told of excuses no other. */
function excusesOf({ ids }: Copies, recorded: ReadonlyMap<string, number>): number {
  let excuses = 0
  for (const [id, { taken, beforeAnEnd }] of ids)
    excuses += Math.min(beforeAnEnd, Math.max(0, taken - (recorded.get(id) ?? 0)))
  return excuses
}

async function* heldMessages(
  queue: Pick<Queue, 'list' | 'body'>,
  look: (content: Buffer, recipients: readonly string[], where: string) => number | undefined,
) {
  for (let from: string | undefined; ; ) {
    const page = await queue.list({}, 500, from)
    for (const { message, recipients } of page.messages) {
      const opened = await queue.body(message.id)
      if (opened.kind !== 'opened') throw new Error(`held message ${message.id} is ${opened.kind}`)
      const blocks: Buffer[] = []
      for await (const block of opened.body.blocks()) blocks.push(Buffer.from(block))
      opened.body.release()
      const names = recipients.map(({ recipient }) => recipient.text)
      const number = look(Buffer.concat([message.trace, ...blocks]), names, 'held')
      if (number !== undefined) yield { number, recipients: names }
    }
    if (page.next === undefined) return
    from = page.next
  }
}

/** Lines of all kinds: dots in front, 8-bit octets, empty ones, long ones. */
function contentOf(number: number, size: number, random: Random): Buffer {
  const head = Buffer.from(`X-Number: ${number}\r\nFrom: <someone@sender.test>\r\nSubject: ${random.number()}\r\n\r\n`)
  const body = Buffer.alloc(
    Math.max(0, size - head.length),
    `.${random.number()}\xe4\r\n\r\n..\r\n${'x'.repeat(300)}\r\n`,
    'latin1',
  )
  return Buffer.concat([head, body.subarray(0, body.lastIndexOf('\r\n') + 2)])
}

const numberOf = (content: Buffer): number | undefined => {
  const found = /^X-Number: (\d+)\r$/m.exec(content.toString('latin1', 0, 2_000))
  return found ? Number(found[1]) : undefined
}

/** The gateway's, in its trace field. */
const idOf = (content: Buffer): string =>
  /^Received:[^;]*?\bid ([^\s;]+)/.exec(content.toString('latin1', 0, 2_000))?.[1] ?? ''

/** RFC 5321 §4.4: our own line stands in front. */
function withoutTrace(content: Buffer): Buffer {
  const found = /^Received: .*\r\n(?:[ \t].*\r\n)*/.exec(content.toString('latin1', 0, 4_000))
  return content.subarray(found?.[0].length ?? 0)
}

const sha256Of = (content: Buffer) => createHash('sha256').update(content).digest('base64')
