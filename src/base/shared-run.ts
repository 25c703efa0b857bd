/**
 * Work that does for all who ask for it at about the same time: to write a file whole, to have a server read its zones again. Who asks while it
 * runs may have come too late for what it looks at, so all of them get the next run together. Used by `publish` and `cli`.
 */

/** @returns what asks for a run that begins from now on; rejects as the run does */
export function createSharedRun<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let next: Promise<T> | undefined

  function begin(): Promise<T> {
    next = undefined
    const run = work()
    const ended = run
      .catch(() => undefined)
      .then(() => {
        if (running === ended) running = undefined
      })
    running = ended
    return run
  }

  return () => {
    if (running === undefined) return begin()
    next ??= running.then(begin)
    return next
  }
}
