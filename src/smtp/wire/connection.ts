/**
 * A socket as a session wants it: read the next chunk, write, each with the session's one deadline. Who awaits input has a promise (`input`), a client
 * that expects a reply is called with it (`next`). Bounded: while nobody reads, about 64 KiB wait here, and then the peer has to.
 *
 * For STARTTLS the server's connection goes on over TLS (`become`, see `server/tls.ts`); the client's lets go of its socket (`leave`) and another one is made
 * over TLS (`client/open.ts`).
 */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Clock, Deadline } from '../../base/clock.ts'
import type { Inlet } from '../../base/inlet.ts'
import type { AtTurnEnd } from '../../base/turn-end.ts'

/** Why there is no next chunk. `ended`: the peer sent FIN; `lost`: reset, write error, destroyed; `timeout`: the deadline passed. */
export type NoMore = 'ended' | 'lost' | 'timeout'

/** Chunks that wait to be read before they are made one. */
const maxChunks = 32

/** For a peer to take what was said last, and to close. */
const lastWordMs = 5_000

/** Octets that wait for the end of a turn. */
const mostHeldBack = 16 * 1024

export interface ConnectionOptions {
  /** Octets that wait to be read, default 64 KiB; another number is for tests. */
  readonly maxBuffered?: number
  /** When strings are written, where many connections share a loop. */
  readonly atTurnEnd?: AtTurnEnd | undefined
  /** Where the socket's octets come in, if not by its 'data': in a room that many share, so what waits here is copied. */
  readonly inlet?: Inlet | undefined
}

export class Connection {
  /** The one timer of this connection: armed before a wait, by whoever waits. */
  readonly deadline: Deadline
  readonly #maxBuffered: number
  readonly #atTurnEnd: AtTurnEnd
  readonly #inlet: Inlet | undefined
  #socket: Socket
  #chunks: Buffer[] = []
  #buffered = 0
  #paused = false
  #no: NoMore | undefined
  #reader: ((read: Buffer | NoMore) => void) | undefined
  /** The reader uses a chunk up before it returns. */
  #isReaderQuick = false
  #writer: ((written: 'written' | NoMore) => void) | undefined
  #onGone: (() => void) | undefined
  #onLost: (() => void) | undefined
  #onClosed: (() => void) | undefined
  #isClosed = false
  #isEnding = false
  /** Waits for the end of the turn, and whoever wants to hear what became of it. */
  #outgoing = ''
  #onHanded: ((isHanded: boolean) => void) | undefined
  // Kept by name, so that `become` takes away these alone: the TLS socket listens to the one below it too.
  readonly #onTurnEnd = () => this.flush()
  readonly #onData = (chunk: Buffer) => this.#take(chunk)
  readonly #onEnd = () => this.#finish('ended')
  readonly #onError = () => this.#finish('lost')
  readonly #onClose = () => this.#close()

  constructor(socket: Socket, clock: Clock, options: ConnectionOptions = {}) {
    const { maxBuffered = 64 * 1024, atTurnEnd = setImmediate, inlet } = options
    this.#socket = socket
    this.#maxBuffered = maxBuffered
    this.#atTurnEnd = atTurnEnd
    this.#inlet = inlet
    if (inlet) inlet.onOctets = (octets) => this.#take(this.#isReaderQuick ? octets : Buffer.from(octets))
    this.deadline = new Deadline(clock, () => this.#expire())
    this.#listen(socket)
  }

  get socket(): Socket {
    return this.#socket
  }

  /** Whether octets wait to be read, so that a reader need not wait. */
  get hasInput(): boolean {
    return this.#chunks.length > 0
  }

  /** Why nothing can come any more, once that is so. What was buffered before can still be read. */
  get noMore(): NoMore | undefined {
    return this.#no
  }

  /** Called once, as soon as the peer's FIN, a reset or an error is seen, also while nobody reads. */
  set onGone(listener: () => void) {
    this.#onGone = listener
    if (this.#no && this.#no !== 'timeout') listener()
  }

  /** Called once, as soon as the connection is lost or has closed, also behind a FIN. */
  set onLost(listener: () => void) {
    this.#onLost = listener
    if (this.#no === 'lost') listener()
  }

  /** The last of the unread octets, as latin1, so many at most: what a peer that has sent FIN said last. */
  unreadTail(most: number): string {
    const last = this.#chunks.at(-1)
    if (!last) return ''
    const tail = last.length >= most ? last : Buffer.concat(this.#chunks)
    return tail.subarray(-most).toString('latin1')
  }

  /** Resolves when the socket is closed, and its descriptor given back. */
  closed(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onClosed = resolve
    })
  }

  /** Lets a waiting `input` or `next` end as 'timeout' now. */
  interrupt(): void {
    this.#settleReader('timeout')
  }

  /**
   * That there is something to `read`, without waiting where it is. A timeout is told once; the connection stays usable, for a last word.
   * One reader at a time.
   */
  input(): 'input' | NoMore | Promise<'input' | NoMore> {
    if (this.#chunks.length > 0) return 'input'
    if (this.#no) return this.#no
    if (this.#paused) this.#resume()
    this.#isReaderQuick = false
    return new Promise((resolve) => {
      // A promise of the chunk itself would look for a `then` all through what a Buffer inherits.
      this.#reader = (read) => {
        if (typeof read === 'string') resolve(read)
        else {
          this.#keep(read)
          resolve('input')
        }
      }
    })
  }

  /** For one who is called with the next chunk, at once where it is there, and keeps nothing of it: a reply needs no promise for its octets. */
  next(reader: (read: Buffer | NoMore) => void): void {
    const read = this.read()
    if (read) {
      reader(read)
      return
    }
    this.#reader = reader
    this.#isReaderQuick = true
  }

  /** What is here: the next chunk, or why there will be none. Undefined: more may come. */
  read(): Buffer | NoMore | undefined {
    const chunk = this.#chunks.shift()
    if (chunk) {
      this.#buffered -= chunk.length
      if (this.#paused && this.#buffered < this.#maxBuffered / 2) this.#resume()
      return chunk
    }
    if (!this.#no && this.#paused) this.#resume()
    return this.#no
  }

  /** Throws away what was read from the socket and not yet from here (RFC 3207 §4.2). @returns how many octets those were, for tests */
  discardInput(): number {
    // A socket that was paused has octets of its own; read, they come here as 'data'.
    if (this.#paused) while (this.#socket.read() !== null) {}
    const discarded = this.#buffered
    this.#chunks = []
    this.#buffered = 0
    return discarded
  }

  /**
   * Hands octets to the socket without waiting. Strings are written as latin1, when this turn of the event loop ends: what many connections
   * have to say then goes out in one go, which wakes each peer once and lets it sleep while we think. After the end it does nothing.
   */
  write(data: string | Uint8Array): void {
    if (typeof data === 'string') {
      if (this.#outgoing === '') this.#atTurnEnd(this.#onTurnEnd)
      this.#outgoing += data
      if (this.#outgoing.length > mostHeldBack) this.flush()
      return
    }
    this.flush()
    if (this.#isWritable) this.#socket.write(data)
  }

  /** Hands over at once what waits for the end of the turn. */
  flush(): void {
    if (this.#outgoing === '') return
    const text = this.#outgoing
    this.#outgoing = ''
    if (this.#isWritable) this.#socket.write(text, 'latin1')
    const told = this.#onHanded
    this.#onHanded = undefined
    told?.(this.#isHanded)
  }

  /**
   * Calls the listener once, when the socket has been given what was written: at the end of the turn, or now where that has been done. False: it
   * was lost by then. One listener at a time.
   */
  whenHanded(listener: (isHanded: boolean) => void): void {
    if (this.#outgoing === '') listener(this.#isHanded)
    else this.#onHanded = listener
  }

  /** A reset that nobody has read yet shows at the write itself, before its event comes. */
  get #isHanded(): boolean {
    return this.#no !== 'lost' && this.#socket.errored === null
  }

  get #isWritable(): boolean {
    return this.#no !== 'lost' && !this.#socket.writableEnded
  }

  /** Whether the peer takes octets more slowly than we write them, so that `written()` is worth waiting for. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Resolves when the operating system has taken all that was written, or with why it will not. One waiter at a time. */
  written(): 'written' | NoMore | Promise<'written' | NoMore> {
    if (this.#no === 'lost') return 'lost'
    this.flush()
    if (this.#socket.writableLength === 0) return 'written'
    return new Promise((resolve) => {
      this.#writer = resolve
      // An empty write behind all others: its callback comes when they are through.
      this.#socket.write('', (error) => this.#settleWriter(error ? 'lost' : 'written'))
    })
  }

  /** Sends what was written, then FIN; the socket is destroyed when the peer has closed too, or at the deadline. */
  end(): void {
    this.flush()
    this.deadline.arm(lastWordMs)
    this.#isEnding = true
    this.#chunks = []
    this.#buffered = 0
    if (this.#no === 'lost' || this.#no === 'ended') this.#socket.destroySoon()
    else {
      this.#socket.end()
      this.#socket.once('end', () => this.#socket.destroy())
      if (this.#paused) this.#resume()
    }
  }

  /** Sends what was written and lets go at once, whether the peer closes or not: for who may not cost us anything. */
  endNow(): void {
    this.flush()
    this.#isEnding = true
    // What the operating system has taken it sends before its FIN; only TLS has a last word of its own (RFC 8446 §6.1).
    if (this.#socket.writableLength === 0 && !('encrypted' in this.#socket)) {
      this.#socket.destroy()
      return
    }
    // Who reads nothing would keep us for ever.
    this.deadline.arm(lastWordMs)
    this.#socket.destroySoon()
  }

  /** The end, at once, without a word. */
  destroy(): void {
    this.#socket.destroy()
    this.#finish('lost')
  }

  /** Goes on over a socket that wraps the old one (STARTTLS). What waited to be read is not carried over. */
  become(tls: TLSSocket): void {
    this.discardInput()
    const below = this.#socket
    below.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    this.#paused = false
    this.#socket = tls
    this.#listen(tls)
  }

  /** Hears and times nothing of its socket any more, which goes on below TLS in another connection. */
  leave(): void {
    for (const event of ['data', 'end', 'error', 'close']) this.#socket.removeAllListeners(event)
    if (this.#inlet) this.#inlet.onOctets = () => undefined
    this.deadline.end()
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  #close(): void {
    this.#finish('lost')
    this.deadline.end()
    this.#isClosed = true
    this.#onClosed?.()
  }

  #take(chunk: Buffer): void {
    if (this.#isEnding) return
    const reader = this.#reader
    if (reader) {
      this.#reader = undefined
      this.#isReaderQuick = false
      reader(chunk)
      return
    }
    this.#keep(chunk)
    if (this.#buffered >= this.#maxBuffered && !this.#paused) {
      this.#paused = true
      this.#socket.pause()
    }
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    // A chunk of one octet costs a hundred: many small ones are put together.
    if (this.#chunks.length >= maxChunks) this.#chunks = [Buffer.concat(this.#chunks)]
  }

  #resume(): void {
    this.#paused = false
    this.#socket.resume()
  }

  #finish(why: 'ended' | 'lost'): void {
    if (this.#no === 'lost' || this.#no === why) return
    const first = this.#no === undefined
    this.#no = why
    this.#settleReader(why)
    if (why === 'lost') this.#settleWriter('lost')
    if (first) this.#onGone?.()
    if (why === 'lost') this.#onLost?.()
  }

  #expire(): void {
    // `end()` waits for the peer's FIN no longer than this.
    if (this.#socket.writableEnded) this.#socket.destroy()
    this.#settleReader('timeout')
    this.#settleWriter('timeout')
  }

  #settleReader(read: NoMore): void {
    const reader = this.#reader
    this.#reader = undefined
    this.#isReaderQuick = false
    reader?.(read)
  }

  #settleWriter(written: 'written' | NoMore): void {
    const writer = this.#writer
    this.#writer = undefined
    writer?.(written)
  }
}
