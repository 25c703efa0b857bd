/**
 * Beginning a session at a host with both families: the second address gets its turn when the first has not answered after 250 ms
 * (RFC 8305 §5), so that broken IPv6 costs a quarter of a second and not a time-out.
 */
import { type Clock, within } from '../../base/clock.ts'
import type { Begun } from '../../delivery/delivery.ts'
import type { Candidate } from '../../routing/balance.ts'

export interface Started {
  readonly candidate: Candidate
  readonly begun: Begun
}

const headStartMs = 250

/**
 * @param takeSibling  the other address of the host, taken out of the line; asked only when the head start is over
 * @returns what began, or all the failures; a session that comes too late goes back to its pool
 */
export async function beginWithHeadStart(
  first: Candidate,
  takeSibling: () => Candidate | undefined,
  begin: (candidate: Candidate) => Promise<Begun>,
  clock: Clock,
): Promise<readonly Started[]> {
  const firstTry = begin(first).then((begun) => ({ candidate: first, begun }))
  const early = await within(firstTry, clock.monotonicMs() + headStartMs, clock)
  if (early) return [early]
  const second = takeSibling()
  if (!second) return [await firstTry]
  const tries = [firstTry, begin(second).then((begun) => ({ candidate: second, begun }))]
  const winner = await Promise.any(tries.map(onlyIfBegun)).catch(() => undefined)
  if (!winner) return Promise.all(tries)
  for (const each of tries) each.then((late) => late !== winner && giveBack(late)).catch(() => undefined)
  return [winner]
}

/** For `Promise.any`, which waits for the first that does not reject. */
function onlyIfBegun(attempt: Promise<Started>): Promise<Started> {
  return attempt.then((started) => (started.begun.kind === 'begun' ? started : Promise.reject(new Error('not begun'))))
}

function giveBack({ begun }: Started): void {
  if (begun.kind === 'begun') begun.transaction.abandon()
}
