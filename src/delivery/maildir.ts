/**
 * Delivery into a Maildir on this machine (https://cr.yp.to/proto/maildir.html): a file a recipient, and 250 only when file and folder
 * are on stable storage. Never unknown: what did not come to its end is taken away again. Made by `create.ts`.
 *
 * Lines end in LF in the file, as everything that reads Maildirs expects. Memory: the block at hand.
 */
import { type Clock, within } from '../base/clock.ts'
import { errorCode } from '../base/error-code.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { HostName } from '../mail/address.ts'
import type { Message, Recipient } from '../mail/message.ts'
import { isPositive, type Reply, reply } from '../mail/reply.ts'
import type { Job, Transaction } from './delivery.ts'
import type { MailboxRoom, TakenRoom } from './mailbox-room.ts'
import type { MaildirFiles } from './maildir-files.ts'
import { type Folder, findFolder } from './maildir-folder.ts'
import type { DataOutcome, Lost, RecipientsOutcome } from './outcome.ts'
import { whyNoMaildir } from './why-no-maildir.ts'

export interface MaildirDeps {
  readonly hostname: HostName
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly files: MaildirFiles
  readonly room: MailboxRoom
}

interface Box {
  readonly recipient: Recipient
  readonly path: string
  /** The place among the boxes of one that has the same folder and gets the file; undefined for that one itself. */
  readonly same: number | undefined
}

const delivered = reply(250, '2.0.0', 'Delivered')
const deliverable = reply(250, '2.1.5', 'Recipient OK')
const noSuchUser = reply(550, '5.1.1', 'No such user here')
const storageFailed = reply(451, '4.3.0', 'The mailbox cannot be written now')
const storageFull = reply(452, '4.3.1', 'No space left for mail')
const longestMs = 15 * 60_000

export class MaildirTransaction implements Transaction {
  readonly localAddress = undefined
  readonly refusalsLeft = Number.POSITIVE_INFINITY
  readonly owedOnSuccess = 'delivered' // RFC 3461 §5.2.3 a
  readonly #path: string
  readonly #job: Job
  readonly #deps: MaildirDeps
  readonly #boxes: Box[] = []
  #isOver = false
  /** We gave up: what is being written is taken away again. */
  #isAbandoned = false
  #giveUp: (() => void) | undefined

  constructor(path: string, job: Job, deps: MaildirDeps) {
    this.#path = path
    this.#job = job
    this.#deps = deps
  }

  get acceptedCount(): number {
    return this.#boxes.length
  }

  async askRecipients(recipients: readonly Recipient[], limits: { untilMs: number }): Promise<RecipientsOutcome> {
    if (this.#isOver) return lost('rcpt')
    const replies: Reply[] = []
    for (const recipient of recipients) {
      const finding = this.#findRoom(recipient.localPart)
      // A disk over the network may hang.
      const folder = (await within(finding, limits.untilMs, this.#deps.clock)) ?? timedOut
      if (folder.kind === 'folder') this.#addBox(recipient, folder.path)
      else if (folder.kind === 'failed' && folder.code !== noRoom) this.#warn(folder.code)
      replies.push(
        folder.kind === 'folder' ? deliverable : folder.kind === 'none' ? noSuchUser : failureOf(folder.code),
      )
    }
    return this.#isOver ? lost('rcpt') : { kind: 'answered', replies }
  }

  async data(message: Message, limits: { bodyUntilMs: number; untilMs: number }): Promise<DataOutcome> {
    if (this.#isOver) return lost('body')
    if (this.#boxes.length === 0) throw new TypeError('data() without an accepted recipient')
    this.#isOver = true
    const replies: Reply[] = []
    const done = this.#deliverAll(message, replies)
    const { clock } = this.#deps
    // A disk that hangs is no reason for the sender to wait for ever, nor for a message of the hold to be long about it.
    const leftMs = Math.min(longestMs, limits.untilMs - clock.monotonicMs())
    const timer = clock.after(Math.max(0, leftMs), () => this.abandon())
    const gaveUp = new Promise<'gave up'>((resolve) => {
      this.#giveUp = () => resolve('gave up')
    })
    const end = await Promise.race([done, gaveUp])
    timer.cancel()
    if (end === 'gave up') {
      // Whoever has got the message keeps it; where nobody has, nothing was delivered.
      if (!replies.some(isPositive)) return lost('body')
      while (replies.length < this.#boxes.length) replies.push(storageFailed)
    }
    return { kind: 'answered', step: 'dot', replies: [...replies] }
  }

  abandon(): void {
    this.#isOver = true
    this.#isAbandoned = true
    this.#giveUp?.()
  }

  async #findRoom(localPart: string): Promise<Folder> {
    const folder = await findFolder(this.#path, localPart, this.#deps.files)
    if (folder.kind !== 'folder') return folder
    try {
      await folder.leave()
      const room = await this.#deps.room.take(folder.path, 0, this.#job)
      room?.done(false)
      return room ? folder : { kind: 'failed', code: noRoom }
    } catch (error) {
      return { kind: 'failed', code: codeOf(error) }
    }
  }

  /** `joe@` and `Joe@` are one person with one folder, and get one file. A box without `{local}` is everybody's: a file each. */
  #addBox(recipient: Recipient, path: string): void {
    const at = this.#path.includes('{local}') ? this.#boxes.findIndex((box) => box.path === path) : -1
    this.#boxes.push({ recipient, path, same: at < 0 ? undefined : at })
  }

  async #deliverAll(message: Message, replies: Reply[]): Promise<void> {
    for (const box of this.#boxes) {
      if (this.#isAbandoned) return
      const known = box.same === undefined ? undefined : replies[box.same]
      const answer = known ?? (await this.#deliverOne(message, box))
      if (this.#isAbandoned) return
      replies.push(answer)
    }
  }

  /** tmp/, sync, new/, sync: a crash at any point leaves the whole message or none that a reader would see. */
  async #deliverOne(message: Message, box: Box): Promise<Reply> {
    const { files } = this.#deps
    const name = this.#uniqueName()
    let folder: Folder | undefined
    let written: string | undefined
    let room: TakenRoom | undefined
    let isStored = false
    try {
      // What was a folder at RCPT may be a link by now.
      folder = await findFolder(this.#path, box.recipient.localPart, files)
      if (folder.kind !== 'folder') return folder.kind === 'failed' ? failureOf(folder.code) : storageFailed
      room = await this.#deps.room.take(box.path, ownLines + message.trace.length + message.body.size, this.#job)
      if (!room) return storageFull
      const temporary = `${folder.tmp}/${name}`
      const final = `${folder.new}/${name}`
      const file = await files.create(temporary)
      written = temporary
      try {
        await this.#write(message, box.recipient, (bytes) => file.write(bytes))
        await file.sync()
      } finally {
        await file.close()
      }
      this.#checkWanted()
      await files.rename(temporary, final)
      written = final
      await files.syncFolder(folder.new)
      this.#checkWanted()
      isStored = true
      return delivered
    } catch (error) {
      // Also where it stands in new/ already: who hears 451 sends it again.
      if (written) await files.remove(written).catch(() => {})
      if (error instanceof Unwanted) return storageFailed
      const code = codeOf(error)
      this.#warn(code)
      return failureOf(code)
    } finally {
      room?.done(isStored)
      if (folder?.kind === 'folder') await folder.leave()
    }
  }

  async #write(message: Message, recipient: Recipient, write: (bytes: Buffer) => Promise<void>): Promise<void> {
    const sender = this.#job.envelope.sender?.text ?? ''
    // RFC 5321 §4.4: the final delivery adds Return-Path; Delivered-To stops loops and tells aliases apart.
    await write(Buffer.from(`Return-Path: <${sender}>\nDelivered-To: ${recipient.text}\n`, 'latin1'))
    await write(withoutCr(message.trace))
    for await (const block of message.body.blocks()) {
      this.#checkWanted()
      await write(withoutCr(block))
    }
  }

  #checkWanted(): void {
    if (this.#isAbandoned) throw new Unwanted()
  }

  /** The time for people, and 96 random bits for uniqueness over processes, restarts and clocks that jump. */
  #uniqueName(): string {
    const { clock, random, hostname } = this.#deps
    const now = clock.now()
    const micros = (Math.floor(now) % 1000) * 1000
    return `${Math.floor(now / 1000)}.M${micros}R${random.bytes(12).toString('hex')}.${hostname}`
  }

  #warn(code: string): void {
    const why = whyNoMaildir(this.#path, code)
    this.#deps.log.warn('maildir cannot be written', { id: this.#job.id, path: this.#path, code, why })
  }
}

class Unwanted extends Error {}

/** Of the system; what has none is a bug, and thrown. */
function codeOf(error: unknown): string {
  const code = errorCode(error)
  if (code === undefined) throw error
  return code
}

/** The answer of `room`; who made it says why where that is news. */
const noRoom = 'no room'
/** Return-Path and Delivered-To with their addresses, at the most. */
const ownLines = 1024

const failureOf = (code: string) => ([noRoom, 'ENOSPC', 'EDQUOT'].includes(code) ? storageFull : storageFailed)

function lost(step: 'rcpt' | 'body'): Lost {
  return {
    kind: 'lost',
    reused: false,
    fault: { kind: 'abandoned', step, reply: undefined, detail: 'given up by us' },
  }
}

/** Canonical content has no CR but those of CRLF. */
function withoutCr(block: Buffer): Buffer {
  let next = block.indexOf(carriageReturn)
  if (next < 0) return block
  const plain = Buffer.allocUnsafe(block.length)
  let length = 0
  let from = 0
  while (next >= 0) {
    length += block.copy(plain, length, from, next)
    from = next + 1
    next = block.indexOf(carriageReturn, from)
  }
  length += block.copy(plain, length, from)
  return plain.subarray(0, length)
}

const carriageReturn = 13

const timedOut = { kind: 'failed', code: 'ETIMEDOUT' } as const
