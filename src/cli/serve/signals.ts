/** How the process is told to stop. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { ExitCode } from '../terminal.ts'

export interface Signals {
  on(signal: 'SIGHUP' | 'SIGTERM' | 'SIGINT', run: () => void): void
  /** Ends the process, behind its last lines of the log: within a second. */
  exit(code: ExitCode): void
}

/** Ctrl-C reaches every process of the terminal, and npm passes it on besides: one that comes again so soon is the same. */
const sameSignalMs = 500

/**
 * SIGTERM and SIGINT stop the gateway gracefully, a second one ends the process at once. Resolves when it has stopped.
 * @param stopSoon  called as soon as it is known that it will be
 */
export function stopOnSignal(
  gateway: Pick<Gateway, 'stop'>,
  stopSoon: () => void,
  log: Log,
  signals: Signals,
  clock: Clock,
): Promise<void> {
  return new Promise((done, failed) => {
    let first: { readonly signal: string; readonly atMs: number } | undefined
    const stop = (signal: string) => {
      const atMs = clock.monotonicMs()
      if (first?.signal === signal && atMs - first.atMs < sameSignalMs) return
      if (first) {
        log.warn('stopping at once', { signal })
        signals.exit(1)
        return
      }
      first = { signal, atMs }
      log.info('stopping', { signal })
      stopSoon()
      gateway.stop().then(done, failed)
    }
    signals.on('SIGTERM', () => stop('SIGTERM'))
    signals.on('SIGINT', () => stop('SIGINT'))
  })
}
