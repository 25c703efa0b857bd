/**
 * Watches the gateway and tells in words what it makes of what happens: a backend found down or up, the hold filling and empty again. It knows
 * nothing of the story, so it tells the same of what a person does with the keys.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { type HealthState, isServing } from '../routing/health.ts'
import { countText, listText, type Sight, type Tell, type World } from './world.ts'

export interface Observer {
  /** Looks once more, and never again. */
  stop(): void
}

const everyMs = 100

export function createObserver(world: World, tell: Tell, clock: Clock): Observer {
  let before: Sight = { held: 0, states: world.mailboxes.map(() => 'up') }
  /** The most that was held since it was last empty. */
  let fullest = 0
  let timer: Timer

  function look(): void {
    const now = world.look()
    const up = numbersOf(now.states, isServing)
    tellDown(now, up)
    tellUp(now)
    fullest = Math.max(fullest, now.held)
    if (fullest > 0 && now.held === 0 && world.ledger.counts.missing === 0 && up.length > 0) {
      tell(
        'gateway',
        `Nothing is held any more: ${fullest === 1 ? 'the one message has' : `all ${fullest} have`} arrived.`,
      )
      fullest = 0
    }
    before = now
  }

  function tick(): void {
    look()
    timer = clock.after(everyMs, tick)
  }

  function tellDown({ states }: Sight, up: readonly number[]): void {
    const lost = numbersOf(states, (state, at) => !isServing(state) && isServing(before.states[at] ?? 'up'))
    if (lost.length === 0) return
    const byHand = lost.every((number) => states[number - 1] === 'out')
    const what = byHand ? `has taken ${backends(lost)} out of service` : `finds ${backends(lost)} down`
    const then =
      up.length > 0
        ? `its mail goes to ${backends(up)}`
        : 'nobody is left, so mail is held, on disk before its sender hears 250'
    tell('gateway', `The gateway ${what}: ${then}.`)
  }

  function tellUp({ states, held }: Sight): void {
    const found = numbersOf(states, (state, at) => isServing(state) && !isServing(before.states[at] ?? 'up'))
    if (found.length === 0) return
    const then =
      held > 0
        ? `${countText(held, 'held message')} ${held === 1 ? 'goes' : 'go'} there now, oldest first, beside new mail`
        : `${found.length === 1 ? 'it gets its' : 'they get their'} share again, step by step`
    tell('gateway', `The gateway finds ${backends(found)} up: ${then}.`)
  }

  timer = clock.after(everyMs, tick)
  return {
    stop() {
      timer.cancel()
      look()
    },
  }
}

function numbersOf(
  states: readonly HealthState[],
  fits: (state: HealthState, at: number) => boolean,
): readonly number[] {
  return states.flatMap((state, at) => (fits(state, at) ? [at + 1] : []))
}

const backends = (numbers: readonly number[]) => `backend${numbers.length === 1 ? '' : 's'} ${listText(numbers)}`
