/**
 * The turns of the event loop. What many ask for in one turn is done behind it in one go: made by whoever has many connections (`smtp/server`,
 * `delivery`), for their writes. And who has much to do lets others have their turn in between.
 */

/** Resolves when what has come meanwhile has been dealt with. */
export const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done))

/** Calls `run` once, when everything that is ready to be read now has been dealt with. */
export type AtTurnEnd = (run: () => void) => void

export function createTurnEnd(): AtTurnEnd {
  let waiting: (() => void)[] = []
  const end = () => {
    const all = waiting
    waiting = []
    for (const run of all) run()
  }
  return (run) => {
    if (waiting.push(run) === 1) setImmediate(end)
  }
}
