/** Waiting for a condition, bounded, instead of sleeping. */
import { setTimeout as wait } from 'node:timers/promises'
import { steadyClock } from './fast-clock.ts'

/**
 * Resolves as soon as the condition holds; rejects when it does not within `timeoutMs`, in which the moments do not count that this process was not
 * given the processor: whoever is waited for was not given it either.
 * @param what  what was waited for, for the error
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
  what = condition.toString(),
): Promise<void> {
  const end = steadyClock.monotonicMs() + timeoutMs
  // Short waits at first, so that a test that is about to succeed is not held up.
  for (let delayMs = 0; !(await condition()); delayMs = Math.min(20, delayMs + 1)) {
    if (steadyClock.monotonicMs() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await wait(delayMs)
  }
}

/** A promise that the test resolves when it likes: for answers that come late. */
export function gate<T = void>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { promise, open: resolve }
}
