/** `/healthz` and `/readyz`: what a supervisor or a balancer asks. They say one word, to everybody. */
import type { Site } from '../site.ts'

export interface HealthDeps {
  /** It listens, and what it accepts can be handed on or kept. */
  readonly isReady: () => boolean
}

export function addHealth(site: Site, { isReady }: HealthDeps): void {
  // Who gets an answer at all has shown that the process is alive.
  site.probe('/healthz', (context) => context.text('ok\n'))
  site.probe('/readyz', (context) => (isReady() ? context.text('ready\n') : context.text('not ready\n', 503)))
}
