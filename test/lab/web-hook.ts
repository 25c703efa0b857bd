/** An HTTP server, or one over TLS, on loopback that keeps what it is sent, and answers as the test says. Stopped with the test. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { TestContext } from 'node:test'

export interface HookRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface WebHook {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly requests: readonly HookRequest[]
  /** From now on: a status, or no answer at all. */
  answer: number | 'silence'
}

/** @param tls  its certificate and key; without them it speaks plain HTTP */
export async function startWebHook(
  t: TestContext,
  first: WebHook['answer'] = 200,
  tls?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<WebHook> {
  const requests: HookRequest[] = []
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push({ method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') })
      if (hook.answer === 'silence') return
      response.statusCode = hook.answer
      response.end('{}')
    })
  }
  const server = tls ? createSecureServer(tls, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const place = server.address()
  if (place === null || typeof place === 'string') throw new Error('the hook listens nowhere')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const hook: WebHook = { url: `http${tls ? 's' : ''}://127.0.0.1:${place.port}`, requests, answer: first }
  return hook
}
