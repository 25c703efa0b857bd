/** What the log, the figures and the watch hear of one leg of a message when its sender is answered. Called by `hand-over`. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Message } from '../../mail/message.ts'
import { isPermanent, isPositive, loggedReply, type Reply } from '../../mail/reply.ts'
import { backendFields, type Endpoint } from '../../routing/backend.ts'
import { declaredName, type MailDomain } from '../../routing/destinations.ts'
import type { Tell } from '../events.ts'
import type { Leg } from './leg.ts'

export interface TellLegDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tell?: Tell | undefined
}

export interface ToldLeg {
  readonly leg: Leg
  /** Of this leg. */
  readonly said: Reply
  /** Whose word it is; undefined where no backend answered. */
  readonly endpoint: Endpoint | undefined
  readonly held: 'held' | 'unknown' | false
  /** What the sender hears, who has one answer for all legs. */
  readonly heardCode: number
  /** Since the sender's dot. */
  readonly tookMs: number
}

export function tellLeg(message: Message, told: ToldLeg, { clock, log, tell }: TellLegDeps): void {
  const { leg, said, endpoint, held, heardCode } = told
  const { id, client, envelope, body } = message
  const event = isPositive(said) ? 'delivered' : isPermanent(said) ? 'refused' : 'deferred'
  const ms = Math.round(told.tookMs)
  const place = endpoint && backendFields(endpoint)
  tell?.({
    kind: held || event,
    atMs: clock.now(),
    id,
    domains: domainsOfLeg(leg),
    route: leg.cut.route.id,
    backend: place?.backend,
    endpoint: place?.endpoint,
    bytes: body.size,
    recipients: leg.recipients.length,
    ms,
    code: said.code,
  })
  log.info(held ? 'held' : event, {
    id,
    client: client.address,
    from: envelope.sender?.text ?? '',
    to: leg.recipients.map(({ recipient }) => recipient.text),
    size: body.size,
    route: leg.cut.route.id,
    backend: place?.backend,
    endpoint: place?.endpoint,
    reply: loggedReply(said),
    senderHeard: heardCode === said.code ? undefined : heardCode,
    ms,
  })
}

function domainsOfLeg({ recipients }: Leg): readonly string[] {
  const only = recipients.length === 1 ? recipients[0]?.domain : undefined
  if (only) return [declaredName(only)]
  const domains = new Set<MailDomain>()
  for (const { domain } of recipients) if (domain) domains.add(domain)
  return [...domains].map(declaredName)
}
