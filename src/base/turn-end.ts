/**
 * The end of a turn of the event loop, for many: what is asked for in one turn is done behind it in one go. Made by whoever has many
 * connections (`smtp/server`, `delivery`), for their writes.
 */

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
