/**
 * What a sender is told, step by step, before and around the carrying (SEMANTICS.md §1, §4 *On our own side*, §7 `split`, §13): whose mail
 * we take, how much of it, from whom. The SMTP server asks; `cut-through` does the carrying.
 */
import type { Clock } from '../base/clock.ts'
import { clientKey, networkKey } from '../base/ip.ts'
import type { KeyedBudget, RateCounter } from '../base/limits.ts'
import type { Log } from '../base/log.ts'
import type { Client, Envelope, Message, Recipient } from '../mail/message.ts'
import { isPermanent, isPositive, type Reply, reply } from '../mail/reply.ts'
import { type MessageIds, receivedLine } from '../mail/trace.ts'
import type { Route } from '../routing/backend.ts'
import type { BodySink, OnConnect, Peer, SessionHandler } from '../smtp/server/handler.ts'
import { type BodyBudgets, IncomingBody } from './body.ts'
import { CutThrough, looksUpRecipient } from './cut-through.ts'
import { contentHash, envelopeHash, type RepeatMemory } from './repeat-memory.ts'
import type { GatewaySettings } from './settings.ts'
import type { CutThroughDeps } from './staging.ts'
import { safeText } from './verdict.ts'

export interface AcceptDeps {
  readonly clock: Clock
  readonly log: Log
  readonly ids: MessageIds
  /** The settings now; a session keeps the ones that it began with. */
  readonly settings: () => GatewaySettings
  readonly carrying: (settings: GatewaySettings) => CutThroughDeps
  readonly connections: Connections
  readonly refusals: RateCounter
  /** Whether it is ourselves that have connected: a route leads back to us. */
  readonly isOurs: (peer: Peer) => boolean
  readonly repeats: RepeatMemory
  readonly bodies: BodyBudgets
  /** Where the file of a large body goes. */
  readonly spoolPath: (id: string) => string
}

/** Connections in use: over all, by client, by network. */
export interface Connections {
  used: number
  readonly perClient: KeyedBudget
  readonly perNetwork: KeyedBudget
}

/** Recipients that may be refused in one group: a backend counts them against us as errors (SEMANTICS.md §4). */
const refusalsAtOnce = 5

export function createAccept(deps: AcceptDeps): OnConnect {
  const { connections } = deps
  return (peer) => {
    const settings = deps.settings()
    const client = clientKey(peer.address)
    const network = networkKey(peer.address)
    const full = takePlace(connections, client, network, settings)
    if (full) return { kind: 'refused', reply: full }
    return { kind: 'handler', handler: new Session(peer, client, network, settings, deps) }
  }
}

/** @returns what the sender hears if there is no place for one more connection */
function takePlace(
  connections: Connections,
  client: string,
  network: string,
  { limits }: GatewaySettings,
): Reply | undefined {
  if (connections.used >= limits.connections) return tooManyInAll
  if (!connections.perClient.take(client, 1)) return tooMany
  if (!connections.perNetwork.take(network, 1)) {
    connections.perClient.give(client, 1)
    return tooMany
  }
  connections.used++
  return undefined
}

class Session implements SessionHandler {
  readonly #peer: Peer
  readonly #client: string
  readonly #network: string
  readonly #settings: GatewaySettings
  readonly #deps: AcceptDeps
  readonly #carrying: CutThroughDeps
  #transaction: Transaction | undefined
  #refused = 0
  #isWatched = false

  /** @param client  what the client counts as, and its network (`base/ip`) */
  constructor(peer: Peer, client: string, network: string, settings: GatewaySettings, deps: AcceptDeps) {
    this.#peer = peer
    this.#client = client
    this.#network = network
    this.#settings = settings
    this.#deps = deps
    this.#carrying = deps.carrying(settings)
    deps.log.debug('connected', { client: peer.address, port: peer.port })
  }

  mail(envelope: Envelope, client: Client): Reply {
    // Asked for a recipient, we would ask ourselves for it, and so on until every session is taken.
    if (this.#deps.isOurs(this.#peer)) return backToUs
    const id = this.#deps.ids.next(this.#deps.clock.now())
    const body = new IncomingBody(this.#deps.spoolPath(id), this.#network, this.#deps.bodies)
    if (!body.reserve(envelope.declaredSize ?? 0)) return noRoom
    this.#transaction = { id, envelope, client, body, cut: undefined, recipients: new Map() }
    return senderOk
  }

  /** Nothing that could be a guess of an address is asked for in bulk. */
  recipientsAtOnce(): number {
    return Math.max(1, refusalsAtOnce - this.#refused)
  }

  async recipients(asked: readonly Recipient[]): Promise<readonly Reply[]> {
    const replies: Reply[] = []
    for (let at = 0; at < asked.length; ) {
      const recipient = asked[at] as Recipient
      const placed = this.#place(recipient)
      if ('code' in placed) {
        replies.push(this.#count(recipient, placed))
        at++
        continue
      }
      // Those that go the same way are asked for together.
      const group = [recipient]
      while (at + group.length < asked.length && this.#goesWith(asked[at + group.length] as Recipient, placed, group)) {
        group.push(asked[at + group.length] as Recipient)
      }
      const said = await this.#ask(placed, group)
      replies.push(...said.map((each, index) => this.#count(group[index] as Recipient, each)))
      at += group.length
    }
    return replies
  }

  data(): BodySink | Reply {
    const transaction = this.#transaction
    const cut = transaction?.cut
    if (!transaction || !cut || cut.acceptedCount === 0) return noRecipients
    const { body } = transaction
    return {
      write: (chunk) => body.write(chunk),
      end: async (has8bit) => {
        try {
          return await this.#deliver(transaction, cut, body, has8bit)
        } finally {
          this.#transaction = undefined
          body.release()
        }
      },
      abort: (why) => {
        this.#deps.log.info('message refused', { id: transaction.id, client: this.#peer.address, why })
        body.release()
        this.reset()
      },
    }
  }

  reset(): void {
    this.#transaction?.cut?.abandon()
    this.#transaction?.body.release()
    this.#transaction = undefined
  }

  closed(): void {
    this.reset()
    const { connections, log } = this.#deps
    connections.used--
    connections.perClient.give(this.#client, 1)
    connections.perNetwork.give(this.#network, 1)
    log.debug('disconnected', { client: this.#peer.address, port: this.#peer.port })
  }

  /** Where a recipient would go, or why it goes nowhere: everything that can be said without asking a backend. */
  #place(recipient: Recipient): Placed | Reply {
    const transaction = this.#transaction
    if (!transaction) return noSender
    const before = transaction.recipients.get(recipient.text)
    if (before) return before
    const { destinations, postmaster } = this.#settings
    const destination = destinations.find(recipient)
    switch (destination.kind) {
      case 'postmaster':
        return this.#fits({ route: postmaster, recipient })
      case 'literal':
        return literalRefused
      case 'not-ours':
        return destination.leftRecently ? leftRecently : relayingDenied
      case 'relay-syntax':
        return relaySyntax
      case 'unknown-recipient':
        return unknownRecipient
      case 'route':
        if (isPostmaster(recipient)) return this.#fits({ route: destination.route, recipient })
        if (this.#isGuessing()) return guessing
        return this.#fits({ route: destination.route, recipient })
    }
  }

  /** The first recipient's way decides; others are asked to come in another transaction (SEMANTICS.md §7). */
  #fits(placed: Placed): Placed | Reply {
    const cut = this.#transaction?.cut
    if (!cut || cut.acceptedCount === 0) return placed
    if (cut.route !== placed.route || !cut.serves(placed.recipient.domain)) return otherTransaction
    return takesOneRecipient(placed.route) ? otherTransaction : placed
  }

  #goesWith(recipient: Recipient, first: Placed, group: readonly Recipient[]): boolean {
    const placed = this.#place(recipient)
    if ('code' in placed || placed.route !== first.route || takesOneRecipient(first.route)) return false
    const isSameMx = !looksUpRecipient(first.route) || recipient.domain === first.recipient.domain
    return (
      isSameMx &&
      group.every(({ text }) => text !== recipient.text) &&
      !isPostmaster(recipient) &&
      !isPostmaster(first.recipient)
    )
  }

  async #ask(placed: Placed, group: readonly Recipient[]): Promise<readonly Reply[]> {
    const transaction = this.#transaction as Transaction
    const cut = this.#cutFor(transaction, placed)
    const replies = await cut.recipients(group)
    const only = group[0] as Recipient
    if (isPostmaster(only) && !isPositive(replies[0] ?? noSender)) {
      const said = await this.#askPostmaster(transaction, only)
      if (isPositive(said)) transaction.recipients.set(only.text, said)
      return [said]
    }
    group.forEach((recipient, index) => {
      const said = replies[index]
      if (said && isPositive(said)) transaction.recipients.set(recipient.text, said)
    })
    return replies
  }

  /** RFC 5321 §4.5.1: postmaster is always heard, by us if the backend does not want it. */
  async #askPostmaster(transaction: Transaction, recipient: Recipient): Promise<Reply> {
    const own = this.#fits({ route: this.#settings.postmaster, recipient })
    if ('code' in own) return own
    const [said] = await this.#cutFor(transaction, own).recipients([recipient])
    return said ?? noSender
  }

  #cutFor(transaction: Transaction, { route, recipient }: Placed): CutThrough {
    const { cut } = transaction
    if (cut && cut.route === route && (cut.acceptedCount > 0 || cut.serves(recipient.domain))) return cut
    cut?.abandon()
    this.#watchPeer()
    const job = {
      id: transaction.id,
      client: transaction.client,
      envelope: transaction.envelope,
      fairnessKey: this.#client,
    }
    const made = new CutThrough(route, recipient.domain, job, this.#carrying)
    transaction.cut = made
    return made
  }

  /** What a sender that has gone wanted carried is given up, unless a backend may have it already. */
  #watchPeer(): void {
    if (this.#isWatched) return
    this.#isWatched = true
    this.#peer.whenGone(() => this.#transaction?.cut?.abandon())
  }

  /** A refused recipient counts, by connection and by client; whoever collects them is guessing. */
  #count(recipient: Recipient, said: Reply): Reply {
    if (isPositive(said)) return said
    // A flood of guesses is told by its first lines; the disk under the log is not the guesser's.
    if (!this.#isGuessing() || isPostmaster(recipient)) this.#tell(recipient, said)
    if (!isPermanent(said) || isPostmaster(recipient)) return said
    this.#refused++
    this.#deps.refusals.count(this.#client)
    return this.#refused >= this.#settings.limits.refusedPerConnection ? tooManyRefused : said
  }

  #tell(recipient: Recipient, said: Reply): void {
    this.#deps.log.info(isPermanent(said) ? 'recipient refused' : 'recipient deferred', {
      id: this.#transaction?.id,
      client: this.#peer.address,
      from: this.#transaction?.envelope.sender?.text ?? '',
      to: recipient.text,
      reply: safeText(said),
    })
  }

  #isGuessing(): boolean {
    return this.#deps.refusals.recent(this.#client) >= this.#settings.limits.refusedPerMinute
  }

  async #deliver(transaction: Transaction, cut: CutThrough, body: IncomingBody, has8bit: boolean): Promise<Reply> {
    if (body.problem) {
      cut.abandon()
      return body.problem === 'full' ? noRoom : notWritten
    }
    const { id, client, envelope, recipients } = transaction
    const only = recipients.size === 1 ? recipients.keys().next().value : undefined
    const trace = Buffer.from(
      receivedLine({
        client,
        hostname: this.#settings.hostname,
        id,
        onlyRecipient: only,
        atMs: this.#deps.clock.now(),
      }),
      'latin1',
    )
    const message = { id, client, envelope, trace, body: body.finish(has8bit) }
    const isRepeated = await this.#wasDelivered(transaction, message)
    if (isRepeated) cut.abandon()
    const said = isRepeated ? alreadyDelivered : await cut.deliver(message)
    // The sender that is gone by now does not know, and will send it again.
    if (isPositive(said) && this.#peer.isGone)
      this.#deps.repeats.remember(envelopeHash(envelope.sender, recipients.keys()), await contentHash(message.body))
    return said
  }

  /** A hash is only made where one is remembered that it could be. */
  async #wasDelivered({ id, envelope, recipients }: Transaction, { body }: Message): Promise<boolean> {
    const { repeats, log } = this.#deps
    if (repeats.size === 0) return false
    const key = envelopeHash(envelope.sender, recipients.keys())
    if (!repeats.knows(key) || !repeats.take(key, await contentHash(body))) return false
    log.info('delivered before', { id, client: this.#peer.address, size: body.size })
    return true
  }
}

interface Transaction {
  readonly id: string
  readonly envelope: Envelope
  readonly client: Client
  /** Room for it is reserved from MAIL on. */
  readonly body: IncomingBody
  cut: CutThrough | undefined
  /** Recipients that were accepted, by canonical address, with what was said: the same one again hears the same. */
  readonly recipients: Map<string, Reply>
}

interface Placed {
  readonly route: Route
  readonly recipient: Recipient
}

const isPostmaster = (recipient: Recipient) => recipient.localPart.toLowerCase() === 'postmaster'
/** LMTP answers for each recipient, and the sender can hear only one answer (SEMANTICS.md §7). */
const takesOneRecipient = (route: Route) => route.entries.some(({ backend }) => backend.address.protocol === 'lmtp')

const alreadyDelivered = reply(250, '2.0.0', 'Delivered already, when it was sent before')
const senderOk = reply(250, '2.1.0', 'Sender OK')
// RFC 3463 §3.5: 5.4.6, a routing loop. 521 says to us on the other side that it is about us and not about the message (see `about-us.ts`).
const backToUs = reply(521, '5.4.6', 'The route leads back to this very server')
const noSender = reply(503, '5.5.1', 'MAIL comes first')
const noRecipients = reply(554, '5.5.1', 'No valid recipients')
const noRoom = reply(452, '4.3.1', 'No room for messages right now, please try again later')
const notWritten = reply(451, '4.3.0', 'The message could not be written down here, please try again later')
// RFC 2034 §4: no enhanced code in a greeting.
const tooManyInAll = reply(421, undefined, 'Too many connections, please try again later')
const tooMany = reply(421, undefined, 'Too many connections from your network, please try again later')
const tooManyRefused = reply(421, '4.7.0', 'Too many refused recipients, closing')
const guessing = reply(
  450,
  '4.7.1',
  'Too many refused recipients from your address in the last minute, please try again later',
)
const literalRefused = reply(550, '5.7.1', 'Mail to address literals is not taken here')
const relayingDenied = reply(550, '5.7.1', 'Relaying denied: mail for this domain is not taken here')
const leftRecently = reply(451, '4.3.5', 'Mail for this domain was taken here until recently, please try again later')
const relaySyntax = reply(553, '5.1.3', 'Local parts with @, % or ! are not taken here')
const unknownRecipient = reply(550, '5.1.1', 'No such recipient here')
const otherTransaction = reply(452, '4.5.3', 'Please send to this recipient in another transaction')
