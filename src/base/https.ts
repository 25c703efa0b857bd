/**
 * One GET over HTTPS from an address that was judged, bounded in time and octets: no redirect is followed, nothing is cached, no name is
 * resolved. The certificate is shown and not judged, because who asks wants to know what is wrong with it. Called by the checks, for MTA-STS
 * policies (RFC 8461 §3.3).
 */
import { type IncomingMessage, request } from 'node:http'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import type { Clock } from './clock.ts'
import type { Door, Purpose } from './door.ts'
import type { IpAddress } from './ip.ts'
import { describePeer, failedSide, type TlsPeer } from './tls-peer.ts'

export interface HttpsRequest {
  readonly purpose: Purpose
  readonly address: IpAddress
  readonly port: number
  /** For SNI and the Host field: A-labels. */
  readonly host: string
  /** Begins with a slash. */
  readonly path: string
  readonly userAgent: string
  readonly maxBytes: number
  /** All of it, connection and handshake included. */
  readonly timeoutMs: number
  readonly isPrivate: boolean
}

export type HttpsOutcome =
  | {
      readonly kind: 'response'
      readonly peer: TlsPeer
      readonly status: number
      /** Text of others. */
      readonly contentType: string | undefined
      readonly location: string | undefined
      /** At most `maxBytes` and one octet. */
      readonly body: Buffer
      readonly bodyEnd: 'whole' | 'too-long' | 'too-slow' | 'cut'
    }
  | {
      readonly kind: 'failed'
      readonly step: 'connect' | 'handshake' | 'response'
      readonly peer: TlsPeer | undefined
      readonly side: 'peer' | 'local' | 'connection' | 'timeout'
      /** Words of ours and codes, safe to print. */
      readonly why: string
    }

/** Octets of status line and fields together. */
const maxHeaderBytes = 16 * 1024

export function getOverHttps(
  wanted: HttpsRequest,
  deps: { readonly clock: Clock; readonly door: Door },
): Promise<HttpsOutcome> {
  const { purpose, address, port, host, isPrivate } = wanted
  const opening = deps.door.open(purpose, { kind: 'tcp', address, port }, isPrivate)
  if (opening.kind === 'forbidden') {
    return Promise.resolve({ kind: 'failed', step: 'connect', peer: undefined, side: 'local', why: opening.why })
  }
  return new Promise((resolve) => {
    let step: 'connect' | 'handshake' | 'response' = 'connect'
    let peer: TlsPeer | undefined
    let collected: (() => HttpsOutcome) | undefined
    const settle = (outcome: HttpsOutcome) => {
      timer.cancel()
      secure.destroy()
      resolve(outcome)
    }
    const fail = (side: 'peer' | 'local' | 'connection' | 'timeout', why: string) =>
      settle({ kind: 'failed', step, peer, side, why })
    const timer = deps.clock.after(wanted.timeoutMs, () => {
      if (collected) settle(collected())
      else fail('timeout', `no answer within ${wanted.timeoutMs} ms`)
    })
    opening.socket.once('connect', () => {
      step = 'handshake'
    })
    const secure = tlsConnect({
      socket: opening.socket,
      servername: host,
      rejectUnauthorized: false,
      ca: [],
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
    })
    secure.on('error', (error: NodeJS.ErrnoException) => {
      // Once the body is on its way, its reader tells how it ended.
      if (!collected) fail(failedSide(error.code), error.code ?? 'the connection failed')
    })
    secure.on('close', () => {
      if (!collected) fail('connection', 'the connection was closed')
    })
    secure.once('secureConnect', () => {
      step = 'response'
      peer = describePeer(secure)
      const found = peer
      ask(secure, wanted, (response) => {
        collected = readBody(response, found, wanted.maxBytes, (outcome) => settle(outcome))
      }).on('error', (error: NodeJS.ErrnoException) => {
        if (!collected) fail('peer', error.code ?? 'no HTTP')
      })
    })
  })
}

function ask(secure: TLSSocket, { host, path, userAgent }: HttpsRequest, heard: (response: IncomingMessage) => void) {
  const headers = { Host: host, 'User-Agent': userAgent, Accept: 'text/plain', Connection: 'close' }
  const asked = request({ method: 'GET', path, headers, maxHeaderSize: maxHeaderBytes, createConnection: () => secure })
  asked.once('response', heard)
  asked.end()
  return asked
}

/** @returns what there is of the response now, cut by the clock */
function readBody(
  response: IncomingMessage,
  peer: TlsPeer,
  maxBytes: number,
  done: (outcome: HttpsOutcome) => void,
): () => HttpsOutcome {
  const chunks: Buffer[] = []
  let length = 0
  const outcome = (bodyEnd: 'whole' | 'too-long' | 'too-slow' | 'cut'): HttpsOutcome => ({
    kind: 'response',
    peer,
    status: response.statusCode ?? 0,
    contentType: response.headers['content-type'],
    location: response.headers.location,
    body: Buffer.concat(chunks).subarray(0, maxBytes + 1),
    bodyEnd,
  })
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes) done(outcome('too-long'))
  })
  response.on('end', () => done(outcome(response.complete ? 'whole' : 'cut')))
  response.on('error', () => done(outcome('cut')))
  response.on('close', () => done(outcome(response.complete ? 'whole' : 'cut')))
  return () => outcome('too-slow')
}
