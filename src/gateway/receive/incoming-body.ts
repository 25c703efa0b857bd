/**
 * The sender's message on its way in: copied into blocks of memory, and from 256 KiB on, or when memory is short, into a file of the
 * spool. The chunks that arrived are never kept: a thousand one-byte chunks would cost a megabyte.
 */
import { type FileHandle, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Budget, KeyedBudget } from '../../base/limits.ts'
import { makeFolder } from '../../base/make-folder.ts'
import type { Body } from '../../mail/message.ts'

/** What bodies may use: over all, and a quarter of it for one network. */
export interface BodyBudgets {
  readonly memory: Budget
  readonly memoryPerNetwork: KeyedBudget
  readonly spool: Budget
  readonly spoolPerNetwork: KeyedBudget
}

const mostInMemory = 256 * 1024
const smallestBlock = 4 * 1024
const largestBlock = 64 * 1024

/** Why a body could not be taken. `full`: memory and spool have no room (452); `failed`: the file could not be written (451). */
export type BodyProblem = 'full' | 'failed'

/** Takes octets, then is read as a `Body`. The caller waits for the promise of `write` before it writes again. */
export class IncomingBody {
  readonly #budgets: BodyBudgets
  readonly #network: string
  readonly #pathOf: () => string
  #blocks: Buffer[] = []
  #last: Buffer | undefined
  #lastUsed = 0
  #memoryTaken = 0
  #spoolTaken = 0
  #size = 0
  #has8bit = false
  #file: FileHandle | undefined
  #problem: BodyProblem | undefined
  #failure: unknown
  #released = false

  /** @param pathOf  where the file goes; asked for where one is needed, which is seldom */
  constructor(pathOf: () => string, network: string, budgets: BodyBudgets) {
    this.#pathOf = pathOf
    this.#network = network
    this.#budgets = budgets
  }

  get problem(): BodyProblem | undefined {
    return this.#problem
  }

  /** What the system said, where the problem is `failed`. */
  get failure(): unknown {
    return this.#failure
  }

  get size(): number {
    return this.#size
  }

  /**
   * Whether there is room for what the sender has declared (RFC 1870). It is not taken yet: a declaration costs nothing, and forty of them would
   * keep everybody else's mail out.
   */
  fits(octets: number): boolean {
    if (octets === 0) return true
    const { spool, spoolPerNetwork } = this.#budgets
    if (!this.#takeSpool(octets)) return false
    spool.give(octets)
    spoolPerNetwork.give(this.#network, octets)
    this.#spoolTaken -= octets
    return true
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#problem || this.#released) return
    const missing = this.#size + chunk.length - this.#spoolTaken
    if (missing > 0 && !this.#takeSpool(missing)) return this.#fail('full')
    this.#size += chunk.length
    if (!this.#file && this.#size <= mostInMemory && this.#copy(chunk)) return
    return this.#writeToFile(chunk)
  }

  /** The whole, once no more comes. Only where there was no `problem`. */
  finish(has8bit: boolean): Body {
    this.#has8bit = has8bit
    if (this.#last) this.#blocks[this.#blocks.length - 1] = this.#last.subarray(0, this.#lastUsed)
    this.#last = undefined
    const blocks = this.#file ? () => this.#readFile() : () => this.#blocks
    const file = this.#file && this.#pathOf()
    return { size: this.#size, has8bit: this.#has8bit, blocks, file, release: () => this.release() }
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#dropMemory()
    this.#budgets.spool.give(this.#spoolTaken)
    this.#budgets.spoolPerNetwork.give(this.#network, this.#spoolTaken)
    const file = this.#file
    this.#file = undefined
    if (file)
      void file
        .close()
        .then(() => rm(this.#pathOf(), { force: true }))
        .catch(() => undefined)
  }

  #fail(problem: BodyProblem): void {
    this.#problem = problem
    this.release()
  }

  /** @returns false where memory has no room for it */
  #copy(chunk: Buffer): boolean {
    let copied = 0
    while (copied < chunk.length) {
      if (!this.#last || this.#lastUsed === this.#last.length) {
        if (!this.#addBlock(chunk.length - copied)) return this.#undo(copied)
      }
      const block = this.#last as Buffer
      const taken = chunk.copy(block, this.#lastUsed, copied)
      this.#lastUsed += taken
      copied += taken
    }
    return true
  }

  /** What of a chunk was copied before memory ran out goes to the file with the rest: the caller writes the whole chunk there. */
  #undo(copied: number): false {
    let left = copied
    while (left > 0 && this.#last) {
      const back = Math.min(left, this.#lastUsed)
      this.#lastUsed -= back
      left -= back
      if (this.#lastUsed > 0) break
      this.#blocks.pop()
      this.#last = this.#blocks.at(-1)
      this.#lastUsed = this.#last?.length ?? 0
    }
    return false
  }

  #addBlock(wanted: number): boolean {
    // Blocks grow with the message, so that a long one has few and a short one wastes little.
    const size = Math.min(largestBlock, Math.max(smallestBlock, roundUp(wanted), this.#memoryTaken))
    if (!this.#budgets.memory.take(size)) return false
    if (!this.#budgets.memoryPerNetwork.take(this.#network, size)) {
      this.#budgets.memory.give(size)
      return false
    }
    this.#memoryTaken += size
    this.#last = Buffer.allocUnsafeSlow(size)
    this.#lastUsed = 0
    this.#blocks.push(this.#last)
    return true
  }

  #takeSpool(octets: number): boolean {
    if (!this.#budgets.spool.take(octets)) return false
    if (!this.#budgets.spoolPerNetwork.take(this.#network, octets)) {
      this.#budgets.spool.give(octets)
      return false
    }
    this.#spoolTaken += octets
    return true
  }

  #dropMemory(): void {
    this.#blocks = []
    this.#last = undefined
    this.#budgets.memory.give(this.#memoryTaken)
    this.#budgets.memoryPerNetwork.give(this.#network, this.#memoryTaken)
    this.#memoryTaken = 0
  }

  async #writeToFile(chunk: Buffer): Promise<void> {
    // The chunk is the caller's again when `write` returns its promise, which is only awaited later: so it is copied now.
    const octets = Buffer.from(chunk)
    try {
      if (!this.#file) await this.#moveToFile()
      await this.#file?.writeFile(octets)
    } catch (error) {
      if (this.#released) return
      this.#failure = error
      this.#fail('failed')
    }
  }

  async #moveToFile(): Promise<void> {
    const blocks = this.#blocks
    if (this.#last) blocks[blocks.length - 1] = this.#last.subarray(0, this.#lastUsed)
    const path = this.#pathOf()
    const file = await open(path, 'wx+', 0o600)
    if (this.#released) {
      await file.close()
      await rm(path, { force: true })
      return
    }
    this.#file = file
    for (const block of blocks) await file.writeFile(block)
    this.#dropMemory()
  }

  async *#readFile(): AsyncGenerator<Buffer> {
    const file = this.#file
    if (!file) return
    for (let at = 0; at < this.#size; ) {
      const block = Buffer.allocUnsafeSlow(Math.min(largestBlock, this.#size - at))
      const { bytesRead } = await file.read(block, 0, block.length, at)
      if (bytesRead === 0) throw new Error(`the spool file ${this.#pathOf()} is shorter than it was`)
      at += bytesRead
      yield block.subarray(0, bytesRead)
    }
  }
}

/** Makes the spool folder, and empties it: what lies there is of messages that nobody was told 250 for. */
export async function prepareSpool(folder: string): Promise<void> {
  await makeFolder(folder)
  await Promise.all((await readdir(folder)).map((name) => rm(join(folder, name), { force: true })))
}

const roundUp = (octets: number) => Math.ceil(octets / smallestBlock) * smallestBlock
