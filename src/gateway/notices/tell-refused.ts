/** What the log, the figures and the watch hear of a refusal after a hold, when it is written down. Called by `after-hold`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Recipient } from '../../mail/message.ts'
import { loggedReply, type Reply } from '../../mail/reply.ts'
import type { HeldMessage, HeldRecipient } from '../../queue/queue.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import type { Declared, Tell } from '../events.ts'
import type { Way } from '../ways/lanes.ts'
import type { Notice } from './notices.ts'

export interface Refusal {
  readonly held: HeldRecipient
  readonly reply: Reply
}

export interface RefusedMail {
  readonly message: HeldMessage
  readonly way: Way
  /** Undefined where it was us who said no, for want of anywhere to go. */
  readonly endpoint: Endpoint | undefined
  readonly refusals: readonly Refusal[]
}

export interface TellRefusedDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
  readonly declared?: Declared | undefined
}

/** A notice of our own: nobody is told of it. */
export function tellOwnRefused({ message, endpoint, refusals }: RefusedMail, { log }: TellRefusedDeps): void {
  for (const { held, reply } of refusals)
    log.warn('own mail refused', { ...linesOf(message.id, held, endpoint), reply: loggedReply(reply) })
}

/** @param told  whom the notice tells of */
export function tellRefused(
  mail: RefusedMail,
  notice: Notice,
  told: ReadonlySet<Recipient>,
  deps: TellRefusedDeps,
): void {
  tellEvents(mail, told, deps)
  const { message, endpoint, refusals } = mail
  for (const { held, reply } of refusals) {
    deps.log.warn('refused after hold', {
      ...linesOf(message.id, held, endpoint),
      from: message.envelope.sender?.text ?? '',
      reply: loggedReply(reply),
      told: told.has(held.recipient),
      ...(notice.kind === 'written' ? { notice: notice.held.id } : { why: notice.why }),
    })
  }
}

/** Once a domain. */
function tellEvents(
  { message, way, endpoint, refusals }: RefusedMail,
  told: ReadonlySet<Recipient>,
  { clock, tell, declared }: TellRefusedDeps,
): void {
  if (!tell) return
  for (const [domain, own] of Map.groupBy(refusals, ({ held }) => declared?.(held.recipient)))
    tell({
      kind: 'refused-after-hold',
      atMs: clock.now(),
      id: message.id,
      domain,
      route: way.route.id,
      backend: endpoint?.backend.url,
      endpoint: endpoint && backendFields(endpoint).endpoint,
      recipients: own.length,
      told: own.filter(({ held }) => told.has(held.recipient)).length,
    })
}

const linesOf = (id: string, { recipient }: HeldRecipient, endpoint: Endpoint | undefined) => ({
  id,
  to: recipient.text,
  ...(endpoint && backendFields(endpoint)),
})
