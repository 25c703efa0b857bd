/**
 * The SMTP server: listeners, the sessions on them, and their end. The gateway makes one and hands in who answers (`handler.ts`).
 */
import { createServer, type Server, type Socket } from 'node:net'
import { type IpAddress, isIpv6, parseIp } from '../../base/ip.ts'
import { createTurnEnd } from '../../base/turn-end.ts'
import { Scratch } from '../wire/scratch.ts'
import { createGreetingMoment } from './early-talker.ts'
import type { SmtpServerDeps, SmtpServerOptions } from './options.ts'
import { SocketPeer } from './peer.ts'
import { namedReplies } from './replies.ts'
import { ServerSession } from './session.ts'
import type { SessionContext } from './session-parts.ts'

export type { ServerBudgets, ServerLimits, SmtpServerDeps, SmtpServerOptions } from './options.ts'

export interface SmtpServer {
  /** Binds one listener; may be called again for others. Rejects with the system's error (EADDRINUSE, EACCES). @param port  0: the system's choice */
  listen(address: IpAddress, port: number): Promise<{ readonly address: IpAddress; readonly port: number }>
  /** Stops the listener that `listen` resolved with; its sessions go on. */
  unlisten(address: IpAddress, port: number): Promise<void>
  /** New options for connections from now on; sessions keep theirs. */
  update(options: SmtpServerOptions): void
  /** No new connections. Idle sessions hear 421; those within DATA or before a verdict get `graceMs`, then they are cut off. */
  close(graceMs: number): Promise<void>
  /** Connections that are open. */
  readonly sessions: number
}

/** How many connections the system keeps for us before it turns them away. */
const backlog = 4096
/** For handlers to end what they do when their connection has been cut off. */
const afterGraceMs = 1_000

export function createSmtpServer(options: SmtpServerOptions, deps: SmtpServerDeps): SmtpServer {
  const listeners = new Map<string, Server>()
  const sessions = new Set<ServerSession>()
  const shared = {
    deps,
    greetingMoment: createGreetingMoment(),
    scratch: new Scratch(),
    atTurnEnd: createTurnEnd(),
  }
  let context: SessionContext = { ...shared, options, named: namedReplies(options) }
  let emptied: (() => void) | undefined

  const accept = (socket: Socket) => {
    const peer = SocketPeer.of(socket)
    if (!peer) {
      socket.destroy()
      return
    }
    const session = new ServerSession(socket, peer, context)
    sessions.add(session)
    void session.run().then(() => {
      sessions.delete(session)
      if (sessions.size === 0) emptied?.()
    })
  }

  /** Resolves when no session is left, or at that time. */
  const noneLeft = (withinMs: number) =>
    new Promise<void>((resolve) => {
      if (sessions.size === 0) return resolve()
      const timer = deps.clock.after(withinMs, resolve)
      emptied = () => {
        timer.cancel()
        resolve()
      }
    })

  return {
    async listen(address, port) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, accept)
      const bound = await listenOn(server, address, port)
      server.on('error', (error) => deps.log.error('smtp listener failed', { ...bound, error }))
      listeners.set(`${bound.address} ${bound.port}`, server)
      deps.log.info('smtp listening', bound)
      return bound
    },
    async unlisten(address, port) {
      const key = `${address} ${port}`
      listeners.get(key)?.close()
      listeners.delete(key)
    },
    update(changed) {
      context = { ...shared, options: changed, named: namedReplies(changed) }
    },
    async close(graceMs) {
      for (const server of listeners.values()) server.close()
      listeners.clear()
      for (const session of sessions) session.shutdown()
      await noneLeft(graceMs)
      for (const session of sessions) session.cutOff()
      await noneLeft(afterGraceMs)
    },
    get sessions() {
      return sessions.size
    },
  }
}

function listenOn(server: Server, address: IpAddress, port: number): Promise<{ address: IpAddress; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // IPv6 only, or "::" would take IPv4 as well, and which of two listeners gets a connection would be chance.
    server.listen({ host: address, port, backlog, ipv6Only: isIpv6(address) }, () => {
      server.off('error', reject)
      const bound = server.address()
      const isTcp = bound !== null && typeof bound === 'object'
      resolve({ address: (isTcp && parseIp(bound.address)) || address, port: isTcp ? bound.port : port })
    })
  })
}
