/** Work on many things, so many at once, in bounded memory: the next is taken when one is done. For commands over many domains. */

/**
 * Resolves when all is done.
 * @param atOnce  at least 1
 * @throws what the first work threw, when those that run have ended
 */
export async function runMany<T>(
  batches: AsyncIterable<readonly T[]>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let running = 0
  let wake: (() => void) | undefined
  let failure: { readonly error: unknown } | undefined
  const rest = (until: () => boolean): Promise<void> => {
    if (until()) return Promise.resolve()
    return new Promise((resolve) => {
      wake = () => {
        if (!until()) return
        wake = undefined
        resolve()
      }
    })
  }
  const ended = (): void => {
    running--
    wake?.()
  }
  const failed = (error: unknown): void => {
    failure ??= { error }
    ended()
  }
  for await (const batch of batches) {
    for (const item of batch) {
      if (running >= atOnce) await rest(() => running < atOnce)
      if (failure) break
      running++
      work(item).then(ended, failed)
    }
    if (failure) break
  }
  await rest(() => running === 0)
  if (failure) throw failure.error
}
