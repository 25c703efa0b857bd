/**
 * When to greet. Who talks before the greeting is no mail server (RFC 5321 §3.1: the client waits for it), and is known without a
 * delay for anybody: one turn of the event loop reads what had arrived when the connection was accepted.
 */

/** Resolves when a connection that is accepted now may be greeted. */
export type GreetingMoment = () => Promise<void>

export function createGreetingMoment(): GreetingMoment {
  // Connections of one turn share their wait.
  let turn: Promise<void> | undefined
  const nextTurn = () =>
    new Promise<void>((resolve) => {
      // The first immediate runs behind the poll that accepted; the second behind the one that read.
      setImmediate(() => {
        turn = undefined
        setImmediate(resolve)
      })
    })
  return () => {
    turn ??= nextTurn()
    return turn
  }
}
