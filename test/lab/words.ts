/**
 * The words in which a test says how a backend behaves: one property a step of the dialogue, each an answer or a function that
 * decides when the step is reached. Read by `backend.ts` and `backend-session.ts`.
 */

/**
 * What a backend does at a step: a reply as it stands on the wire without its last CRLF (`'451 4.3.0 later'`, several lines joined by
 * `\r\n`), or a word. `silence` lasts until `backend.say()`; `close` is FIN, `reset` RST; `garbage` is no SMTP.
 * A reply of 421 is followed by a close.
 */
export type Answer =
  | string
  | { readonly say: string; readonly and: 'close' | 'reset' }
  | { readonly raw: Buffer | string }

/** An answer, or who decides it. `count`: how often this backend has come to this step, from 1. Nothing: the usual answer. */
export type Fault<Subject> =
  | Answer
  | ((subject: Subject, count: number) => Answer | undefined | Promise<Answer | undefined>)

/** What happens once so many octets of a message's data have been read. */
export interface InBody {
  readonly afterBytes: number
  /** `pause`: reads no more until `until`; an answer is said in the middle of the data, and reading goes on. */
  readonly do: 'close' | 'reset' | 'pause' | Answer
  readonly until?: Promise<unknown>
}

export interface BackendWords {
  readonly protocol?: 'smtp' | 'lmtp'
  /** `unix`: a socket file in the lab's folder. Default `tcp` on an address of its own. */
  readonly on?: 'tcp' | 'unix'
  /** Its port, where several must have the same; default: the system's choice. */
  readonly port?: number
  /** TLS from the first octet, as behind `smtps://`. */
  readonly implicitTls?: boolean
  /** `refuse`: nothing listens; `silence`: SYNs are not answered; `reset`: accepted and reset at once. */
  readonly connect?: 'refuse' | 'silence' | 'reset'
  readonly greeting?: Fault<BackendSession>
  /** EHLO, or LHLO for LMTP. */
  readonly ehlo?: Fault<string>
  readonly helo?: Fault<string>
  /** `offer`: a handshake with the lab's certificate; `hang`: offered, answered 220, and then silence; else the answer to STARTTLS. */
  readonly startTls?: 'offer' | 'hang' | Answer
  /** The subject is the address between `<` and `>`; the whole line is in `commands`. */
  readonly mail?: Fault<string>
  readonly rcpt?: Fault<string>
  readonly data?: Fault<string>
  readonly inBody?: InBody | ((session: BackendSession) => InBody | undefined)
  /** For LMTP it is asked for each recipient, with the message's `asked` naming it. */
  readonly afterDot?: Fault<BackendMessage>
  readonly rset?: Fault<string>
  readonly quit?: Fault<string>
  readonly noop?: Fault<string>
  /** What EHLO offers. Defaults: true, true, true, none (0 is said as `SIZE 0`). */
  readonly pipelining?: boolean
  readonly eightBitMime?: boolean
  readonly enhancedStatusCodes?: boolean
  readonly size?: number
  /** More EHLO keywords, one a line. */
  readonly offers?: readonly string[]
  /** Every reply goes out in segments of so many octets. */
  readonly replySplit?: number
  /** `lenient`: ends DATA at a dot between any line ends, as servers open to smuggling do. Default `strict`: only CRLF.CRLF. */
  readonly endOfData?: 'strict' | 'lenient'
}

/** One connection to a backend, as it went. */
export interface BackendSession {
  readonly number: number
  readonly remotePort: number
  /** Every line that came outside of DATA, as text, without its CRLF. */
  readonly commands: readonly string[]
  readonly tls: boolean
  readonly open: boolean
}

/** A message whose dot came. */
export interface BackendMessage {
  readonly session: BackendSession
  readonly from: string
  /** The accepted recipients, in order. */
  readonly to: readonly string[]
  /** The MAIL line with its parameters. */
  readonly mail: string
  /** The content: after unstuffing, without the dot. */
  readonly content: Buffer
  /** The octets as they came, from behind the 354 to the dot's CRLF. */
  readonly wire: Buffer
  /** What was answered to the dot, for LMTP one a recipient; empty while the backend has not answered. */
  readonly answers: readonly string[]
  /** The recipient that is being answered for (LMTP). */
  readonly asked: string | undefined
}
