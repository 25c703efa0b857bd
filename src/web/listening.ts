/**
 * Where the dashboard listens, and with which certificate: bound at the start, and anew when a reload says so. For `web.ts`. Renewed files of the same
 * certificate are read again by themselves (`gateway/receive/certificate.ts`).
 */
import { createBoundPlaces } from '../base/bound-places.ts'
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
  let server: WebServer = createWebServer(fetch, undefined)
  let isTls = false
  const places = createBoundPlaces({
    listen: (place) => server.listen(place),
    unlisten: (place) => server.unlisten(place),
  })
  let pair: Pair | undefined
  const certificate = createCertificate({ clock, log, loaded: renew })

  function renew(next: Pair): void {
    pair = next
    if (isTls) server.renew(next)
  }

  /** All connections end, because those to come speak another protocol. */
  async function restart(withTls: boolean): Promise<void> {
    places.forget()
    await server.close()
    isTls = withTls
    server = createWebServer(fetch, withTls ? pair : undefined)
  }

  return {
    async apply() {
      const { listen } = settings()
      const tls = listen.length > 0 ? settings().tls : undefined
      await certificate.load(tls)
      if (isTls !== (tls !== undefined)) await restart(tls !== undefined)
      await places.bind(listen)
      await places.keepOnly(listen)
      return places.all
    },
    get places() {
      return places.all
    },
    get isTls() {
      return isTls
    },
    async stop() {
      certificate.stop()
      places.forget()
      await server.close()
    },
  }
}
