/**
 * One HTTP request to an address that was chosen, over TLS or without, bounded in time and octets: no redirect is followed, nothing is cached,
 * no name is resolved, no proxy is used. The certificate must be right for the host. For APIs that people have named in their configuration, and
 * for policies that count only with such a certificate; what must tell how one is wrong uses `https.ts`.
 */
import { type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Clock } from './clock.ts'
import type { Door, Purpose } from './door.ts'
import type { IpAddress } from './ip.ts'

export interface HttpCall {
  readonly purpose: Purpose
  readonly address: IpAddress
  readonly port: number
  /** Whether the address may be private. Default: it may, because whoever wrote the URL meant it. */
  readonly isPrivate?: boolean
  /** For the certificate and the Host field: A-labels, or an address as it stands in a URL. */
  readonly host: string
  readonly isTls: boolean
  /** PEM, in place of the roots that everybody trusts. */
  readonly ca?: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with a slash. */
  readonly path: string
  /** Secrets may stand here: they go nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Of the response's body. */
  readonly maxBytes: number
  /** All of it, connection and handshake included. */
  readonly timeoutMs: number
}

export type HttpOutcome =
  | {
      readonly kind: 'response'
      readonly status: number
      /** Names in lower case; text of others. */
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
      readonly body: Buffer
    }
  | {
      readonly kind: 'failed'
      /** Whether the other side may have read the request, and done what it says. */
      readonly isSent: boolean
      /** Words of ours and codes, safe to print. */
      readonly why: string
    }

/** Octets of status line and fields together. */
const maxHeaderBytes = 32 * 1024

export function callHttp(call: HttpCall, deps: { readonly clock: Clock; readonly door: Door }): Promise<HttpOutcome> {
  const { purpose, address, port } = call
  const opening = deps.door.open(purpose, { kind: 'tcp', address, port }, call.isPrivate ?? true)
  if (opening.kind === 'forbidden') return Promise.resolve({ kind: 'failed', isSent: false, why: opening.why })
  const { socket } = opening
  return new Promise((resolve) => {
    let isSent = false
    const settle = (outcome: HttpOutcome) => {
      timer.cancel()
      socket.destroy()
      resolve(outcome)
    }
    const fail = (why: string) => settle({ kind: 'failed', isSent, why })
    const timer = deps.clock.after(call.timeoutMs, () => fail(`no answer within ${call.timeoutMs} ms`))
    const failed = (error: NodeJS.ErrnoException) => fail(error.code ?? 'the connection failed')
    socket.on('error', failed)
    const ask = (over: Socket) => {
      isSent = true
      const asked = request({
        method: call.method,
        path: call.path,
        headers: headersOf(call),
        maxHeaderSize: maxHeaderBytes,
        createConnection: () => over,
      })
      asked.once('response', (response) => readBody(response, call.maxBytes, settle, fail))
      asked.on('error', failed)
      asked.end(call.body)
    }
    if (!call.isTls) {
      socket.once('connect', () => ask(socket))
      return
    }
    const secure: TLSSocket = tlsConnect({
      socket,
      // RFC 6066 §3: an address is no server name.
      ...(/^[[\d].*[\]\d]$/.test(call.host) ? {} : { servername: call.host }),
      ...(call.ca === undefined ? {} : { ca: call.ca }),
      host: call.host.replace(/^\[|\]$/g, ''),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    })
    secure.on('error', failed)
    secure.once('secureConnect', () => ask(secure))
  })
}

function headersOf({ host, port, isTls, headers, body }: HttpCall): Record<string, string> {
  const usual = isTls ? 443 : 80
  return {
    Host: port === usual ? host : `${host}:${port}`,
    ...headers,
    ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
    Connection: 'close',
  }
}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  settle: (outcome: HttpOutcome) => void,
  fail: (why: string) => void,
): void {
  const chunks: Buffer[] = []
  let length = 0
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) fail(`an answer of more than ${maxBytes} octets`)
  })
  const end = () => {
    if (!response.complete) return fail('the answer was cut off')
    settle({
      kind: 'response',
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: Buffer.concat(chunks),
    })
  }
  response.on('end', end)
  response.on('error', () => fail('the answer was cut off'))
  response.on('close', end)
}
