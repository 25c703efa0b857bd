/**
 * The connections of the dashboard: how many there may be, how many of one client, and which one makes room for the next. A part of `server.ts`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientKey, parseIp } from '../base/ip.ts'
import { isLoopback } from '../base/loopback.ts'

export interface Connections {
  /** A new one: it stays, maybe in the place of another, or is closed. */
  accept(socket: Socket): void
  /** A request has come: until its answer is over, its connection is waiting for us. */
  follow(request: IncomingMessage, response: ServerResponse): void
  /** The socket below the TLS that is spoken over it. */
  below(secured: Socket): Socket | undefined
  closeAll(): void
}

interface Connection {
  readonly socket: Socket
  /** Whose share it is taken from. */
  readonly key: string
  /** Requests whose answer is not over. */
  readonly answering: Set<IncomingMessage>
}

const mostConnections = 200
const mostConnectionsOfOne = 60
/** All programs and people of this machine together, who have one address. */
const mostConnectionsFromHere = 150

const hereKey = 'this machine'

export function createConnections(): Connections {
  /** In the order of their last request. */
  const open = new Map<string, Connection>()

  /** Where too many are open, the one that has had nothing to say for longest makes room, else one that does not read; nobody does who waits for us. */
  function makeRoom(key: string): boolean {
    const ofOne = [...open.values()].filter((each) => each.key === key)
    const isOneOver = ofOne.length >= (key === hereKey ? mostConnectionsFromHere : mostConnectionsOfOne)
    if (!isOneOver && open.size < mostConnections) return true
    // The first is the idlest. Who has his share takes of nobody else's.
    const those = isOneOver ? ofOne : [...open.values()]
    const idlest = those.find(isIdle) ?? those.find(isUnread)
    if (!idlest) return false
    open.delete(nameOf(idlest.socket))
    idlest.socket.destroy()
    return true
  }

  return {
    accept(socket) {
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
    },
    follow(request, response) {
      const name = nameOf(request.socket)
      const connection = open.get(name)
      if (!connection) return
      open.delete(name)
      open.set(name, connection)
      connection.answering.add(request)
      response.on('close', () => {
        connection.answering.delete(request)
      })
    },
    below: (secured) => open.get(nameOf(secured))?.socket,
    closeAll() {
      for (const { socket } of open.values()) socket.destroy()
    },
  }
}

// Strangers could hold every connection with bodies that never come, or with answers that they never read.
const isIdle = ({ answering }: Connection): boolean => [...answering].every(({ complete }) => !complete)
/** More is written than the system keeps for it. */
const isUnread = ({ answering }: Connection): boolean => [...answering].some(({ socket }) => socket.writableLength > 0)

/** The same for a connection and for the TLS that is spoken over it. */
const nameOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
