/**
 * The HTTP servers below the site: where they listen, and what one connection may take: time, memory, and a share of all connections (`connections.ts`).
 * A dashboard that is being abused must cost the mail nothing. Made by `listening.ts`.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { ListenAddress } from '../base/listen-address.ts'
import { type Connections, createConnections } from './connections.ts'

export interface WebServer {
  /** Shows this certificate from now on. */
  renew(pair: Pair): void
  /** Rejects with the system's error (EADDRINUSE, EACCES). @returns where it listens */
  listen(place: ListenAddress): Promise<ListenAddress>
  /** Ends what `listen` resolved with, and the connections that came there. */
  unlisten(place: ListenAddress): void
  close(): Promise<void>
}

const headerMs = 10_000
const requestMs = 30_000
const idleMs = 10_000
/** Nothing in and nothing out: a reader that has stopped. Event streams have a beat that is faster. */
const silentMs = 60_000
const mostHeaderBytes = 16 * 1024
/** A browser that has come for a page opens a handful. */
const requestsAConnection = 1000
const minVersion = 'TLSv1.2'

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
  const connections = createConnections()

  return {
    renew(pair) {
      for (const server of servers.values())
        if ('setSecureContext' in server) (server as HttpsServer).setSecureContext({ ...pair, minVersion })
    },
    async listen({ address, port }) {
      const server = boundedServer(tls, connections)
      server.on('request', listener)
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
      connections.closeAll()
      await Promise.all(closed)
    },
  }
}

/** A server that gives each connection so much and no more, and answers nothing yet. */
function boundedServer(tls: Pair | undefined, connections: Connections): Server {
  const options = {
    headersTimeout: headerMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: mostHeaderBytes,
  }
  const server = tls
    ? createHttpsServer({ ...options, handshakeTimeout: headerMs, minVersion, ...tls })
    : createHttpServer(options)
  server.maxRequestsPerSocket = requestsAConnection
  server.timeout = silentMs
  server.on('connection', connections.accept)
  server.on('request', connections.follow)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // What fails is the TLS; below it the connection is whole, and a browser shows what it is told there.
    const below = error.code === 'ERR_SSL_HTTP_REQUEST' ? connections.below(socket as Socket) : undefined
    if (below) below.end(useHttps, () => below.destroy())
    else socket.destroy()
  })
  return server
}
