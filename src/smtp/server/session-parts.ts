/** What a session is made with, and what those share that serve one connection: `session`, `commands` and `transactions`. */
import type { AtTurnEnd } from '../../base/turn-end.ts'
import type { Connection } from '../wire/connection.ts'
import type { Scratch } from '../wire/scratch.ts'
import type { Answers } from './answers.ts'
import type { Conduct } from './conduct.ts'
import type { GreetingMoment } from './early-talker.ts'
import type { SessionHandler } from './handler.ts'
import type { CommandInput } from './input.ts'
import type { SmtpServerDeps, SmtpServerOptions } from './options.ts'
import type { Outgoing } from './outgoing.ts'
import type { SocketPeer } from './peer.ts'
import type { NamedReplies } from './replies.ts'
import type { SessionAge } from './session-age.ts'

/** What all sessions of a server have in common. */
export interface SessionContext {
  readonly options: SmtpServerOptions
  readonly named: NamedReplies
  readonly deps: SmtpServerDeps
  readonly greetingMoment: GreetingMoment
  readonly scratch: Scratch
  readonly atTurnEnd: AtTurnEnd
}

/** One connection that is served. */
export interface SessionParts {
  readonly context: SessionContext
  readonly peer: SocketPeer
  readonly connection: Connection
  readonly handler: SessionHandler
  readonly input: CommandInput
  readonly out: Outgoing
  readonly answers: Answers
  readonly conduct: Conduct
  readonly age: SessionAge
}
