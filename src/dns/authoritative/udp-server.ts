/**
 * The UDP side of the server: one socket for each local address and none on a wildcard, so that each answer leaves from where the question
 * came in. Addresses that come and go are followed. Used by `authority.ts`.
 */
import { createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import type { Clock, Timer } from '../../base/clock.ts'
import { errorCode } from '../../base/error-code.ts'
import { type IpAddress, isIpv6 } from '../../base/ip.ts'
import type { Log } from '../../base/log.ts'
import type { NameServer } from '../servers.ts'
import type { Answerer } from './answer.ts'
import { type Interfaces, localAddresses } from './local-addresses.ts'

export interface UdpServer {
  /** Resolves when each address is bound; rejects with the system's error when one cannot be, with none left open. */
  start(): Promise<void>
  /** Sends what nobody asked for, from an address of the family. @returns false where there is none */
  send(message: Buffer, to: NameServer): boolean
  stop(): Promise<void>
  /** Where it listens now. */
  readonly bound: readonly NameServer[]
}

export interface UdpServerDeps {
  readonly answerer: Answerer
  readonly clock: Clock
  readonly log: Log
  /** Takes messages that are answers, and not questions. */
  readonly onResponse: (message: Buffer, from: NameServer) => void
  /** What addresses this machine has; the system's own by default. */
  readonly interfaces?: () => Interfaces
}

const watchMs = 10_000
/** Takes a burst while something else is at work; the system may grant less. */
const receiveBytes = 4 * 1024 * 1024
const mostAnswerBytes = 4096
/** Answers that the system does not take yet. Beyond them questions are lost, as they would be in the network. */
const mostQueued = 1000

export function createUdpServer(listen: readonly NameServer[], deps: UdpServerDeps): UdpServer {
  const interfaces = deps.interfaces ?? networkInterfaces
  const sockets = new Map<string, { readonly socket: Socket; readonly at: NameServer }>()
  let timer: Timer | undefined
  let isStopped = false

  const key = ({ address, port }: NameServer) => `${address} ${port}`
  const wanted = () =>
    listen.flatMap(({ address, port }) => localAddresses(address, interfaces()).map((one) => ({ address: one, port })))

  async function open(at: NameServer): Promise<void> {
    const socket = await bind(at)
    if (isStopped) {
      socket.close()
      return
    }
    sockets.set(key(at), { socket, at })
    // Errors of single messages come back from the network (ICMP); a socket of many clients goes on.
    socket.on('error', (error: NodeJS.ErrnoException) => deps.log.debug('dns udp error', { code: error.code }))
    serve(socket, deps)
  }

  /** Follows the machine's addresses: sockets of those that went are closed, those that came are opened. */
  async function follow(): Promise<void> {
    const now = new Map(wanted().map((at) => [key(at), at]))
    for (const [name, { socket, at }] of sockets) {
      if (now.has(name)) continue
      sockets.delete(name)
      socket.close()
      deps.log.info('dns address gone', { address: at.address, port: at.port })
    }
    for (const [name, at] of now) {
      if (sockets.has(name) || isStopped) continue
      try {
        await open(at)
        deps.log.info('dns address new', { address: at.address, port: at.port })
      } catch (error) {
        // A new IPv6 address cannot be bound before it is known to be nobody else's; the next round finds it.
        deps.log.debug('dns address not bound', { address: at.address, code: errorCode(error) })
      }
    }
  }

  function watch(): void {
    if (isStopped) return
    timer = deps.clock.after(watchMs, () => {
      follow().finally(watch)
    })
  }

  async function stop(): Promise<void> {
    isStopped = true
    timer?.cancel()
    const open = [...sockets.values()]
    sockets.clear()
    await Promise.all(open.map(({ socket }) => new Promise<void>((resolve) => socket.close(() => resolve()))))
  }

  return {
    async start() {
      try {
        for (const at of wanted()) await open(at)
      } catch (error) {
        await stop()
        throw error
      }
      if (listen.some(({ address }) => address === '0.0.0.0' || address === '::')) watch()
    },
    send(message, to) {
      const family = [...sockets.values()].filter(({ at }) => isIpv6(at.address) === isIpv6(to.address))
      // From loopback nothing reaches another machine.
      const isNear = (address: IpAddress) => address.startsWith('127.') || address === '::1'
      const found = family.find(({ at }) => isNear(at.address) === isNear(to.address)) ?? family[0]
      found?.socket.send(message, to.port, to.address)
      return found !== undefined
    },
    stop,
    get bound() {
      return [...sockets.values()].map(({ at }) => at)
    },
  }
}

/** Answers what comes in there. */
function serve(socket: Socket, { answerer, onResponse }: UdpServerDeps): void {
  let out = Buffer.allocUnsafe(mostAnswerBytes)
  let queued = 0
  socket.on('message', (query: Buffer, from: RemoteInfo) => {
    // Port 0 cannot be answered.
    if (from.port === 0) return
    if (query.length > 2 && (query[2] as number) & 0x80) {
      onResponse(query, { address: from.address as IpAddress, port: from.port })
      return
    }
    if (queued > mostQueued) {
      queued = socket.getSendQueueCount()
      if (queued > mostQueued) return
    }
    const length = answerer.overUdp(query, from.address, out)
    if (length === 0) return
    socket.send(out.subarray(0, length), from.port, from.address)
    // What could not be sent at once is still read from; then the next answer takes other memory.
    queued = socket.getSendQueueCount()
    if (queued > 0) out = Buffer.allocUnsafe(mostAnswerBytes)
  })
}

function bind(at: NameServer): Promise<Socket> {
  const type = isIpv6(at.address) ? 'udp6' : 'udp4'
  const socket = createSocket({ type, ipv6Only: type === 'udp6', lookup: noLookup, recvBufferSize: receiveBytes })
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Addresses need no look-up; the one that Node would do goes through a thread. */
const noLookup: SocketOptions['lookup'] = (host, _options, found) => found(null, host, host.includes(':') ? 6 : 4)
