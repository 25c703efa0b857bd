/**
 * The endpoints that the gateway has met, each with its health as it begins: out of service where a person took its backend out, suspect where that was
 * down when the last process ended. By the endpoint's key, so that they survive a reload. For `backends`.
 */
import type { Timer } from '../../base/clock.ts'
import type { Endpoint } from '../../routing/backend.ts'
import { doubtedHealth, freshHealth, type Health, healthState, trust } from '../../routing/health.ts'
import type { ToldState } from './state-changes.ts'

export interface MetEndpoint extends ToldState {
  health: Health
  /** When something was heard of it last, on the monotonic clock. */
  heardMs: number
  /** Set while time alone may make it slow. */
  timer: Timer | undefined
}

/** Endpoints that are remembered; `mx` routes meet ever new ones. Beyond it those with nothing to remember go. */
const mostMet = 10_000

export class MetEndpoints {
  /** Backends that a person took out of service, by `backend.url`. */
  readonly out = new Set<string>()
  /** Those that were down when the last process ended, and of which none has answered yet. */
  readonly doubted = new Set<string>()
  readonly #byKey = new Map<string, MetEndpoint>()
  readonly #onDoubted: (endpoint: Endpoint) => void

  /** @param onDoubted  an endpoint of a doubted backend was met */
  constructor(onDoubted: (endpoint: Endpoint) => void) {
    this.#onDoubted = onDoubted
  }

  of(endpoint: Endpoint): MetEndpoint {
    return this.#byKey.get(endpoint.key) ?? this.#meet(endpoint)
  }

  all(): Iterable<MetEndpoint> {
    return this.#byKey.values()
  }

  forget(endpoint: Endpoint): void {
    this.#byKey.get(endpoint.key)?.timer?.cancel()
    this.#byKey.delete(endpoint.key)
  }

  #meet(endpoint: Endpoint): MetEndpoint {
    const { url } = endpoint.backend
    // Strangers, to whom mail of our own goes, are met by no doubt.
    const isDoubted = endpoint.purpose !== 'dsn' && this.doubted.has(url)
    const health = { ...(isDoubted ? doubtedHealth : freshHealth), isOut: this.out.has(url) }
    const heardMs = Number.NEGATIVE_INFINITY
    const met = { endpoint, health, heardMs, said: healthState(health, 0), saidSlowFor: undefined, timer: undefined }
    if (this.#byKey.size >= mostMet) this.#forgetHealthy()
    this.#byKey.set(endpoint.key, met)
    if (isDoubted) this.#onDoubted(endpoint)
    return met
  }

  #forgetHealthy(): void {
    for (const [key, { health }] of this.#byKey) if (isUnremarkable(health)) this.#byKey.delete(key)
  }
}

const isUnremarkable = (health: Health) =>
  health.failures === 0 && !health.isDown && !health.isOut && health.behindDot.length === 0 && trust(health) === 1
