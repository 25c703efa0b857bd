/** A web server for MTA-STS policies on loopback, with faults as words. It ends with the test. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'
import type { Issued } from '../unit/certificate-maker.ts'

export interface PolicyWords {
  readonly chain: readonly Issued[]
  readonly policy?: string
  readonly status?: string
  readonly headers?: readonly string[]
  /** Instead of an answer: what to do with the socket once a request came. */
  readonly answer?: (socket: Socket) => void
}

export interface PolicyHost {
  readonly address: string
  readonly port: number
  /** The first lines of the requests, with the Host fields. */
  readonly requests: readonly string[]
}

export async function startPolicyHost(
  t: TestContext,
  words: PolicyWords,
  address: string,
  port = 0,
): Promise<PolicyHost> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const { chain, policy = '', status = '200 OK', headers = ['Content-Type: text/plain'] } = words
  const cert = chain.map(({ pem }) => pem).join('')
  const server = createServer({ cert, key: chain[0]?.keyPem }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let input = ''
    socket.on('data', (chunk) => {
      input += chunk.toString('latin1')
      if (!input.includes('\r\n\r\n')) return
      requests.push(`${input.split('\r\n')[0]} ${/^host: (.*)$/im.exec(input)?.[1]}`)
      if (words.answer) return words.answer(socket)
      const fields = [
        `HTTP/1.1 ${status}`,
        ...headers,
        `Content-Length: ${Buffer.byteLength(policy)}`,
        'Connection: close',
      ]
      socket.end(`${fields.join('\r\n')}\r\n\r\n${policy}`)
    })
  })
  server.on('tlsClientError', () => {})
  const listening = once(server, 'listening')
  server.listen(port, address)
  await listening
  const bound = server.address()
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return { address, port: bound && typeof bound === 'object' ? bound.port : port, requests }
}
