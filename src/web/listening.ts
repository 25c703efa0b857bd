/**
 * Where the dashboard listens, and with which certificate: bound at the start, and anew when a reload says so. For `web.ts`. Renewed files of the same
 * certificate are read again by themselves (`gateway/receive/certificate.ts`).
 */
import type { Clock } from '../base/clock.ts'
import type { ListenAddress } from '../base/listen-address.ts'
import type { Log } from '../base/log.ts'
import { createCertificate } from '../gateway/receive/certificate.ts'
import { createWebServer, type FetchRequest, type Pair, type WebServer } from './server.ts'
import type { WebSettings } from './settings.ts'

export interface Listening {
  /**
   * Listens where the settings say now, with the certificate that they say, and nowhere else. Rejects with the system's error (EADDRINUSE, EACCES), or
   * with what is wrong with the certificate; then what listened before does so still, unless TLS came or went.
   */
  apply(): Promise<readonly ListenAddress[]>
  readonly places: readonly ListenAddress[]
  readonly isTls: boolean
  stop(): Promise<void>
}

export interface ListeningDeps {
  readonly clock: Clock
  readonly log: Log
  readonly settings: () => Pick<WebSettings, 'listen' | 'tls'>
  readonly fetch: FetchRequest
}

export function createListening({ clock, log, settings, fetch }: ListeningDeps): Listening {
  let server: WebServer | undefined
  let isTls = false
  /** By what the settings call it: port 0 is another one when it is bound. */
  const bound = new Map<string, ListenAddress>()
  let pair: Pair | undefined
  const certificate = createCertificate({ clock, log, loaded: renew })

  function renew(next: Pair): void {
    pair = next
    if (isTls) server?.renew(next)
  }

  /** All connections end, because those to come speak another protocol. */
  async function restart(withTls: boolean): Promise<WebServer> {
    bound.clear()
    await server?.close()
    isTls = withTls
    server = createWebServer(fetch, withTls ? pair : undefined)
    return server
  }

  async function bindNew(to: WebServer, wanted: readonly ListenAddress[]): Promise<void> {
    const added: string[] = []
    try {
      for (const place of wanted) {
        const key = keyOf(place)
        if (bound.has(key)) continue
        bound.set(key, await to.listen(place))
        added.push(key)
      }
    } catch (error) {
      unbind(to, added)
      throw error
    }
  }

  function unbind(from: WebServer, keys: Iterable<string>): void {
    for (const key of keys) {
      const place = bound.get(key)
      bound.delete(key)
      if (place) from.unlisten(place)
    }
  }

  return {
    async apply() {
      const { listen, tls } = settings()
      await certificate.load(listen.length > 0 ? tls : undefined)
      const current = server && isTls === (tls !== undefined) ? server : await restart(tls !== undefined)
      await bindNew(current, listen)
      const wanted = new Set(listen.map(keyOf))
      unbind(
        current,
        [...bound.keys()].filter((key) => !wanted.has(key)),
      )
      return [...bound.values()]
    },
    get places() {
      return [...bound.values()]
    },
    get isTls() {
      return isTls
    },
    async stop() {
      certificate.stop()
      bound.clear()
      await server?.close()
      server = undefined
    },
  }
}

const keyOf = ({ address, port }: ListenAddress) => `${address} ${port}`
