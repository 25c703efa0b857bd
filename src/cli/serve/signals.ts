/** How the process is told to stop. */
import type { Log } from '../../base/log.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { ExitCode } from '../terminal.ts'

export interface Signals {
  on(signal: 'SIGHUP' | 'SIGTERM' | 'SIGINT', run: () => void): void
  /** Ends the process, behind its last lines of the log: within a second. */
  exit(code: ExitCode): void
}

/**
 * SIGTERM and SIGINT stop the gateway gracefully, a second one ends the process at once. Resolves when it has stopped.
 * @param stopSoon  called as soon as it is known that it will be
 */
export function stopOnSignal(gateway: Gateway, stopSoon: () => void, log: Log, signals: Signals): Promise<void> {
  return new Promise((done, failed) => {
    let isStopping = false
    const stop = (signal: string) => {
      if (isStopping) {
        log.warn('stopping at once', { signal })
        signals.exit(1)
        return
      }
      isStopping = true
      log.info('stopping', { signal })
      stopSoon()
      gateway.stop().then(done, failed)
    }
    signals.on('SIGTERM', () => stop('SIGTERM'))
    signals.on('SIGINT', () => stop('SIGINT'))
  })
}
