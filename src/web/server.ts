/**
 * The HTTP servers below the site: where they listen, and what one connection may take: time, memory, and a share of all connections. A dashboard that
 * is being abused must cost the mail nothing.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { clientKey, parseIp } from '../base/ip.ts'
import type { ListenAddress } from '../base/listen-address.ts'
import { isLoopback } from '../base/loopback.ts'

export interface WebServer {
  /** Shows this certificate from now on. */
  renew(pair: Pair): void
  /** Rejects with the system's error (EADDRINUSE, EACCES). @returns where it listens */
  listen(place: ListenAddress): Promise<ListenAddress>
  /** Ends what `listen` resolved with, and the connections that came there. */
  unlisten(place: ListenAddress): void
  close(): Promise<void>
}

const mostConnections = 200
const mostConnectionsOfOne = 60
/** All programs and people of this machine together, who have one address. */
const mostConnectionsFromHere = 150
const headerMs = 10_000
const requestMs = 30_000
const idleMs = 10_000
/** Nothing in and nothing out: a reader that has stopped. Event streams have a beat that is faster. */
const silentMs = 60_000
const mostHeaderBytes = 16 * 1024
/** A browser that has come for a page opens a handful. */
const requestsAConnection = 1000

const hereKey = 'this machine'

/** To who speaks plain HTTP where TLS is spoken. */
const httpsWords = 'This is HTTPS: write https:// in front of the address.\n'
const useHttps = [
  'HTTP/1.1 400 Bad Request',
  'Connection: close',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${httpsWords.length}`,
  '',
  httpsWords,
].join('\r\n')

const keyOf = ({ address, port }: ListenAddress) => `${address} ${port}`

interface Connection {
  readonly socket: Socket
  /** Whose share it is taken from. */
  readonly key: string
  /** Requests whose answer is not over. */
  readonly answering: Set<IncomingMessage>
}

// Strangers could hold every connection with bodies that never come, or with answers that they never read.
const isIdle = ({ answering }: Connection): boolean => [...answering].every(({ complete }) => !complete)
/** More is written than the system keeps for it. */
const isUnread = ({ answering }: Connection): boolean => [...answering].some(({ socket }) => socket.writableLength > 0)

/** The same for a connection and for the TLS that is spoken over it. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

export type Pair = { readonly cert: Buffer; readonly key: Buffer }

export type FetchRequest = (
  request: Request,
  env: { incoming: IncomingMessage; outgoing: ServerResponse },
) => Response | Promise<Response>

/** @param tls  undefined: plain HTTP */
export function createWebServer(fetch: FetchRequest, tls: Pair | undefined): WebServer {
  const listener = getRequestListener(fetch as Parameters<typeof getRequestListener>[0], {
    overrideGlobalObjects: false,
  })
  const servers = new Map<string, Server>()
  const open = new Map<string, Connection>()

  /** Where too many are open, the one that has had nothing to say for longest makes room, else one that does not read; nobody does who waits for us. */
  function makeRoom(key: string): boolean {
    const ofOne = [...open.values()].filter((each) => each.key === key)
    const isOneOver = ofOne.length >= (key === hereKey ? mostConnectionsFromHere : mostConnectionsOfOne)
    if (!isOneOver && open.size < mostConnections) return true
    // In the order of their last request: the first is the idlest. Who has his share takes of nobody else's.
    const those = isOneOver ? ofOne : [...open.values()]
    const idlest = those.find(isIdle) ?? those.find(isUnread)
    if (!idlest) return false
    open.delete(nameOf(idlest.socket))
    idlest.socket.destroy()
    return true
  }

  function accept(socket: Socket): void {
    const address = parseIp(socket.remoteAddress ?? '')
    const key = address && (isLoopback(address) ? hereKey : clientKey(address))
    if (key === undefined || !makeRoom(key)) {
      socket.destroy()
      return
    }
    const name = nameOf(socket)
    open.set(name, { socket, key, answering: new Set() })
    socket.on('close', () => {
      if (open.get(name)?.socket === socket) open.delete(name)
    })
  }

  function follow(request: IncomingMessage, response: ServerResponse): void {
    const name = nameOf(request.socket)
    const connection = open.get(name)
    if (!connection) return
    open.delete(name)
    open.set(name, connection)
    connection.answering.add(request)
    response.on('close', () => {
      connection.answering.delete(request)
    })
  }

  function make(): Server {
    const options = {
      headersTimeout: headerMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: mostHeaderBytes,
    }
    const server = tls
      ? createHttpsServer({
          ...options,
          handshakeTimeout: headerMs,
          minVersion: 'TLSv1.2',
          ...tls,
        })
      : createHttpServer(options)
    server.maxRequestsPerSocket = requestsAConnection
    server.timeout = silentMs
    server.on('connection', accept)
    server.on('request', follow)
    server.on('request', listener)
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // What fails is the TLS; below it the connection is whole, and a browser shows what it is told there.
      const below = error.code === 'ERR_SSL_HTTP_REQUEST' ? open.get(nameOf(socket as Socket))?.socket : undefined
      if (below) below.end(useHttps, () => below.destroy())
      else socket.destroy()
    })
    return server
  }

  return {
    renew(pair) {
      for (const server of servers.values())
        if ('setSecureContext' in server) (server as HttpsServer).setSecureContext({ ...pair, minVersion: 'TLSv1.2' })
    },
    async listen({ address, port }) {
      const server = make()
      server.listen({ host: address, port, ipv6Only: true })
      // Rejects where it cannot.
      await once(server, 'listening')
      const bound = { address, port: (server.address() as AddressInfo).port }
      servers.set(keyOf(bound), server)
      return bound
    },
    unlisten(place) {
      const server = servers.get(keyOf(place))
      servers.delete(keyOf(place))
      server?.close()
      server?.closeAllConnections()
    },
    async close() {
      const closed = [...servers.values()].map((server) => new Promise((done) => server.close(done)))
      servers.clear()
      for (const { socket } of open.values()) socket.destroy()
      await Promise.all(closed)
    },
  }
}
