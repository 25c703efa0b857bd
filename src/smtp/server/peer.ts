/**
 * The other end of a connection, as handlers see it. What is seldom asked for is made when asked: a connection that sends one
 * message and leaves needs no look at its own address.
 */
import type { Socket } from 'node:net'
import { type IpAddress, parseIp, withoutScope } from '../../base/ip.ts'
import type { Peer } from './handler.ts'

export class SocketPeer implements Peer {
  readonly address: IpAddress
  readonly port: number
  readonly #socket: Socket
  #local: Peer['local'] | undefined
  #listener: (() => void) | undefined
  #isGone = false

  private constructor(socket: Socket, address: IpAddress, port: number) {
    this.#socket = socket
    this.address = address
    this.port = port
  }

  /** Undefined where the connection has gone already, so that the system does not know the address any more. */
  static of(socket: Socket): SocketPeer | undefined {
    const address = parseIp(withoutScope(socket.remoteAddress ?? ''))
    return address && new SocketPeer(socket, address, socket.remotePort ?? 0)
  }

  get local(): Peer['local'] {
    this.#local ??= {
      address: parseIp(withoutScope(this.#socket.localAddress ?? '')) ?? ('0.0.0.0' as IpAddress),
      port: this.#socket.localPort ?? 0,
    }
    return this.#local
  }

  get isGone(): boolean {
    return this.#isGone
  }

  whenGone(listener: () => void): void {
    if (this.#isGone) listener()
    else this.#listener = listener
  }

  leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#listener?.()
  }
}
