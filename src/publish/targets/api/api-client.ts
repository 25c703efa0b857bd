/**
 * The HTTP API of a target: its host resolved, each request bounded. Used by the targets that speak to APIs, which
 * know paths, bodies and what a status means.
 */

import type { Clock } from '../../../base/clock.ts'
import type { Door } from '../../../base/door.ts'
import { callHttp, type HttpCall } from '../../../base/http-client.ts'
import { type IpAddress, parseIp } from '../../../base/ip.ts'
import type { HostName } from '../../../dns/name.ts'
import { type ApiUrl, hostText } from '../../api-url.ts'

export type ApiAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Buffer; readonly headers: ApiHeaders }
  /** `isSent`: it may have been done. `why` is printable. */
  | { readonly kind: 'failed'; readonly isSent: boolean; readonly why: string }

type ApiHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** An API that is busy has us wait. */
export interface ApiWait {
  /** As `Target.place`. */
  readonly place: string
  readonly pauseMs: number
  /** Of this question, this pause included. */
  readonly totalMs: number
}

export interface ApiDeps {
  readonly clock: Clock
  readonly door: Door
  /** Told before each pause, because a person wonders what takes so long. */
  readonly onWait?: (wait: ApiWait) => void
  /** Addresses of a host, best first; empty where it has none. */
  readonly addressesOf: (host: HostName) => Promise<readonly IpAddress[]>
}

export interface ApiOptions {
  readonly url: ApiUrl
  /** Goes with every request; secrets stand here. */
  readonly headers: Readonly<Record<string, string>>
  /** What of it no text may hold: an error that repeats it comes without. */
  readonly secret?: string
  readonly ca?: string
  readonly timeoutMs: number
  readonly maxBytes: number
}

export type ApiRequest = Pick<HttpCall, 'method' | 'path'> & {
  readonly json?: unknown
  /** In place of JSON. */
  readonly xml?: string
  /** Of this request alone, such as its signature. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiClient {
  /** Never twice where it may have been done. */
  call(request: ApiRequest): Promise<ApiAnswer>
}

export function createApiClient(options: ApiOptions, deps: ApiDeps): ApiClient {
  const { url, headers, secret, ca, timeoutMs, maxBytes } = options
  const addresses = async (): Promise<readonly IpAddress[]> => {
    const literal = parseIp(url.host)
    return literal === undefined ? deps.addressesOf(url.host as HostName) : [literal]
  }
  return {
    async call({ method, path, json, xml, headers: own }) {
      const text = json === undefined ? xml : JSON.stringify(json)
      const body = text === undefined ? undefined : Buffer.from(text)
      let last: ApiAnswer = { kind: 'failed', isSent: false, why: `${url.host} has no address` }
      for (const address of await addresses()) {
        const outcome = await callHttp(
          {
            ...{ purpose: 'publisher', address, port: url.port, host: hostText(url.host), isTls: url.isTls },
            ...(ca === undefined ? {} : { ca }),
            ...{ method, path: `${url.basePath}${path}`, maxBytes, timeoutMs },
            headers: {
              Accept: xml === undefined ? 'application/json' : 'application/xml',
              ...headers,
              ...own,
              ...(body ? { 'Content-Type': xml === undefined ? 'application/json' : 'application/xml' } : {}),
            },
            ...(body ? { body } : {}),
          },
          deps,
        )
        if (outcome.kind === 'response')
          return {
            ...outcome,
            kind: 'answer',
            body: outcome.status < 400 ? outcome.body : without(secret, outcome.body),
          }
        last = outcome
        if (outcome.isSent) break
      }
      return last
    },
  }
}

/** Servers like to say what it was that they did not like. */
function without(secret: string | undefined, body: Buffer): Buffer {
  if (secret === undefined || secret === '' || !body.includes(secret)) return body
  return Buffer.from(body.toString('latin1').replaceAll(Buffer.from(secret).toString('latin1'), '***'), 'latin1')
}

/** Tries again what was not done because the other side is busy: as it asks, or in growing pauses. */
export async function patiently(
  call: () => Promise<ApiAnswer>,
  isBusy: (answer: Extract<ApiAnswer, { kind: 'answer' }>) => boolean,
  place: string,
  { clock, onWait }: Pick<ApiDeps, 'clock' | 'onWait'>,
): Promise<ApiAnswer> {
  let totalMs = 0
  for (let turn = 1; ; turn++) {
    const answer = await call()
    if (answer.kind === 'failed' || turn === mostTurns || !isBusy(answer)) return answer
    const asked = Number(answer.headers['retry-after'])
    // A limit that lasts longer than a person waits is told, and not waited for.
    if (asked * 1000 > longestPauseMs) return answer
    const pauseMs = asked > 0 ? asked * 1000 : 500 * 2 ** turn
    totalMs += pauseMs
    onWait?.({ place, pauseMs, totalMs })
    await new Promise<void>((resolve) => void clock.after(pauseMs, resolve))
  }
}

const mostTurns = 5
const longestPauseMs = 300_000
