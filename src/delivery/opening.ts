/**
 * Opens sessions to endpoints: through the one door, with the endpoint's TLS policy, and tells health what came of it.
 * Opportunistic TLS (RFC 7435) that fails is tried once more in clear, and not again for a while. Called by `create.ts`.
 */
import type { Socket } from 'node:net'
import { BoundedMap } from '../base/bounded-map.ts'
import type { Cancel } from '../base/cancel.ts'
import type { Clock } from '../base/clock.ts'
import type { Door } from '../base/door.ts'
import type { Inlet } from '../base/inlet.ts'
import type { Log } from '../base/log.ts'
import type { AtTurnEnd } from '../base/turn-end.ts'
import type { HostName } from '../mail/address.ts'
import { isPermanent } from '../mail/reply.ts'
import { backendFields, type Endpoint } from '../routing/backend.ts'
import { type OpenLimits, type OpenOptions, openSession } from '../smtp/client/open.ts'
import type { ClientSession } from '../smtp/client/session.ts'
import type { Scratch } from '../smtp/wire/scratch.ts'
import type { HealthReports } from './delivery.ts'
import type { Fault } from './outcome.ts'
import { isFull } from './pool.ts'

export interface OpeningDeps {
  readonly hostname: () => HostName
  readonly clock: Clock
  readonly log: Log
  readonly door: Door
  readonly health: HealthReports
  readonly openLimits: OpenLimits | undefined
  /** The delivery has been closed: what fails now was broken off by us. */
  readonly isStopping: () => boolean
  /** Sockets of sessions that are being opened: for whoever has to break them off. */
  readonly opening: Set<Socket>
  /** For all sessions alike. */
  readonly atTurnEnd: AtTurnEnd
  readonly newInlet: () => Inlet
  readonly scratch: Scratch
}

/** What came of it, with the fault as `outcome` has it. */
type OpenResult =
  | { readonly kind: 'open'; readonly session: ClientSession }
  | { readonly kind: 'failed'; readonly fault: Fault }

/**
 * @param hasOthers  see `OpenOne` of `pool.ts`
 * @param cancel  breaks it off: the fault is 'abandoned'
 */
export type Opener = (
  endpoint: Endpoint,
  readyUntilMs: number,
  hasOthers: () => boolean,
  cancel?: Cancel,
) => Promise<OpenResult>

const brokenTlsMs = 10 * 60_000
const mostBrokenTls = 10_000

export function createOpener(deps: OpeningDeps): Opener {
  /** Endpoints whose STARTTLS failed, and until when it is left alone. */
  const clearUntilMs = new BoundedMap<string, number>(mostBrokenTls)

  function isTlsBroken(key: string): boolean {
    const untilMs = clearUntilMs.get(key)
    if (untilMs === undefined || deps.clock.monotonicMs() < untilMs) return untilMs !== undefined
    clearUntilMs.delete(key)
    return false
  }

  return async (endpoint, readyUntilMs, hasOthers, cancel) => {
    const tls = tlsOf(endpoint)
    const may = tls === 'may' && !isTlsBroken(endpoint.key)
    let opened = await connectOnce(deps, endpoint, tls === 'may' && !may ? 'off' : tls, readyUntilMs, cancel)
    // Cut short by our own budget, our own end or for want of a sender, nothing is known of the backend. A deadline passes up to a millisecond early.
    const isOurs = () =>
      cancel?.isCancelled === true || deps.isStopping() || deps.clock.monotonicMs() + 1 >= readyUntilMs
    if (may && opened.kind === 'failed' && opened.fault.step === 'starttls' && !isOurs()) {
      tellInClear(deps.log, endpoint, opened.fault)
      clearUntilMs.set(endpoint.key, deps.clock.monotonicMs() + brokenTlsMs)
      opened = await connectOnce(deps, endpoint, 'off', readyUntilMs, cancel)
    }
    if (opened.kind === 'open') {
      deps.health.opened(endpoint)
      deps.log.debug('backend session opened', backendFields(endpoint))
      return opened
    }
    if (cancel?.isCancelled) return { kind: 'failed', fault: { ...opened.fault, kind: 'abandoned' } }
    const { kind, step, detail } = opened.fault
    deps.log.info('backend session failed', { ...backendFields(endpoint), kind, step, detail })
    // What this machine is short of says nothing about the backend; nor does its limit of sessions, which we have reached.
    const isLimit = isFull(opened.fault) && hasOthers()
    if (!ourShortages.has(detail) && !isLimit && !isOurs()) deps.health.failed(endpoint, opened.fault)
    return opened
  }
}

/**
 * RFC 3207 §4 leaves it to the client to go on, and RFC 7435 §3 wants the mail to go. A 5yz of one that offered TLS is an answer about us all the
 * same, and a person's to mend: it will say it again. A stranger who gets mail of our own owes us nothing.
 */
function tellInClear(log: Log, endpoint: Endpoint, { reply, detail }: Fault): void {
  if (reply && isPermanent(reply) && endpoint.purpose !== 'dsn')
    log.alert('backend refuses us TLS, going on in clear', {
      ...backendFields(endpoint),
      why: detail,
      remedy: 'have it take TLS from us or not offer it, or set tls: off for it',
    })
  else log.warn('tls failed, going on in clear', { ...backendFields(endpoint), detail })
}

async function connectOnce(
  deps: OpeningDeps,
  endpoint: Endpoint,
  tls: OpenOptions['tls'],
  readyUntilMs: number,
  cancel: Cancel | undefined,
): Promise<OpenResult> {
  const { target, backend } = endpoint
  if (target.kind === 'maildir') throw new TypeError('a Maildir has no sessions')
  // Under TLS the octets are the TLS socket's.
  const inlet = tls === 'implicit' ? undefined : deps.newInlet()
  const opening = deps.door.open(endpoint.purpose, target, backend.options.private, inlet)
  if (opening.kind === 'forbidden')
    return { kind: 'failed', fault: { kind: 'forbidden', step: 'connect', reply: undefined, detail: opening.why } }
  const options: OpenOptions = {
    protocol: backend.address.protocol === 'lmtp' ? 'lmtp' : 'smtp',
    hello: backend.options.helo ?? deps.hostname(),
    tls,
    serverName: endpoint.name,
    atTurnEnd: deps.atTurnEnd,
    inlet,
    scratch: deps.scratch,
    ...(deps.openLimits ? { limits: deps.openLimits } : {}),
  }
  deps.opening.add(opening.socket)
  const stopListening = cancel?.whenCancelled(() => void opening.socket.destroy())
  try {
    return await openSession(opening.socket, options, deps.clock, readyUntilMs)
  } finally {
    stopListening?.()
    deps.opening.delete(opening.socket)
  }
}

function tlsOf(endpoint: Endpoint): OpenOptions['tls'] {
  const { address, options } = endpoint.backend
  if (address.protocol === 'smtps') return 'implicit'
  // A socket on this machine has nothing to hide from; `require` is kept to the letter.
  return endpoint.target.kind === 'unix' && options.tls === 'may' ? 'off' : options.tls
}

const ourShortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])
