/** An HTTP server on loopback that answers as an API is documented to; what one asks of it that its documentation does not know ends the test. */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type ApiUrl, parseApiUrl } from '../../src/publish/api-url.ts'

export interface StubRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface StubAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface ApiStub {
  readonly url: ApiUrl
  readonly requests: readonly StubRequest[]
}

/** @param answer  throws where the request is none that the API knows, which fails the test */
export async function startApiStub(
  t: TestContext,
  basePath: string,
  answer: (request: StubRequest) => StubAnswer | 'hang up',
): Promise<ApiStub> {
  const requests: StubRequest[] = []
  const faults: unknown[] = []
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '', 'http://stub')
    const body = Buffer.concat(chunks).toString('utf8')
    const request = { method: incoming.method ?? '', path, query, headers: incoming.headers, body }
    requests.push(request)
    try {
      const answered = answer(request)
      if (answered === 'hang up') return void incoming.socket.destroy()
      outgoing.writeHead(answered.status, { ...answered.headers }).end(answered.body)
    } catch (error) {
      faults.push(error)
      outgoing.writeHead(599).end(String(error))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
    if (faults.length > 0)
      throw new AggregateError(faults, `the stub was asked what it does not know: ${faults.join('; ')}`)
  })
  const url = parseApiUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`)
  if (url.kind === 'invalid') throw new Error(url.why)
  return { url: url.url, requests }
}
