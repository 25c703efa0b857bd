/**
 * AWS Signature Version 4 for one request with its headers (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
 * as of 2026-11). Pure; called by `route53-zone.ts`.
 */
import { createHash, createHmac } from 'node:crypto'

export interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken: string | undefined
}

export interface AwsRequest {
  readonly method: string
  readonly host: string
  /** Encoded as it goes out, without the query. */
  readonly path: string
  /** Decoded. */
  readonly query: readonly (readonly [string, string])[]
  readonly body: string
  readonly region: string
  readonly service: string
  /** Since 1970. */
  readonly nowMs: number
}

/** @returns the headers to add; their values hold the signature and never the secret */
export function signAws(request: AwsRequest, key: AwsKey): Record<string, string> {
  const { method, host, path, query, body, region, service, nowMs } = request
  const moment = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = moment.slice(0, 8)
  const signed: Record<string, string> = {
    host,
    'x-amz-date': moment,
    ...(key.sessionToken === undefined ? {} : { 'x-amz-security-token': key.sessionToken }),
  }
  const names = Object.keys(signed).toSorted()
  const canonical = [
    method,
    path,
    queryText(query),
    ...names.map((name) => `${name}:${signed[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', moment, scope, sha256(canonical)].join('\n')
  const signing = [day, region, service, 'aws4_request'].reduce<Buffer>(hmac, Buffer.from(`AWS4${key.secretAccessKey}`))
  const signature = hmac(signing, toSign).toString('hex')
  const { host: _, ...headers } = signed
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  }
}

/** Sorted by encoded name, then by encoded value, as it is signed; it goes out the same. */
export const queryText = (query: readonly (readonly [string, string])[]): string =>
  query
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .toSorted(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map((pair) => pair.join('='))
    .join('&')

/** RFC 3986 §2.3: all but unreserved characters, which `encodeURIComponent` takes for more than they are. */
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
