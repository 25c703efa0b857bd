/**
 * How the demo is told: on a terminal a panel that is drawn in place, elsewhere a line for each event, with the counts of that moment in front.
 * Called by `run`.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import type { Tell, World } from '../../demo/world.ts'
import type { Panel, Terminal } from '../terminal.ts'
import { clockText, latelySeconds, type PanelState, panelLines, type ShownCounts, type ShownEvent } from './panel.ts'

export interface View {
  readonly tell: Tell
  /** Draws no more; what was drawn stays. */
  end(): void
}

const drawEveryMs = 250
const sampleEveryMs = 1_000
const eventsKept = 50

/** @param hints  what a person may do and try, for the panel; @param deps  `panel` undefined: lines */
export function createView(
  world: World,
  hints: readonly string[],
  deps: { readonly clock: Clock; readonly terminal: Terminal; readonly panel: Panel | undefined },
): View {
  return deps.panel ? panelView(world, hints, deps.clock, deps.panel) : lineView(world, deps.clock, deps.terminal)
}

function lineView(world: World, clock: Clock, terminal: Terminal): View {
  const beganMs = clock.monotonicMs()
  terminal.out(`${lineText('time', 'sent', 'delivered', 'held', '')}\n`)
  return {
    tell(_by, text) {
      const { sent, delivered, held } = countsOf(world)
      const time = clockText(clock.monotonicMs() - beganMs)
      terminal.out(`${lineText(time, String(sent), String(delivered), String(held), text)}\n`)
    },
    end() {},
  }
}

const lineText = (time: string, sent: string, delivered: string, held: string, text: string) =>
  `${time.padStart(5)} ${sent.padStart(6)} ${delivered.padStart(10)} ${held.padStart(5)}  ${text}`.trimEnd()

function panelView(world: World, hints: readonly string[], clock: Clock, panel: Panel): View {
  const beganMs = clock.monotonicMs()
  const events: ShownEvent[] = []
  const lately = createLately(world)
  let sampledMs = beganMs
  let timer: Timer

  function draw(): void {
    const nowMs = clock.monotonicMs()
    if (nowMs - sampledMs >= sampleEveryMs) {
      sampledMs = nowMs
      lately.sample()
    }
    panel.draw(panelLines(stateNow(nowMs), panel))
  }

  function stateNow(nowMs: number): PanelState {
    const { states } = world.look()
    return {
      elapsedMs: nowMs - beganMs,
      domain: world.domain,
      perSecond: world.perSecond,
      counts: countsOf(world),
      heldLately: lately.held,
      backends: world.mailboxes.map((mailbox, at) => ({
        number: mailbox.number,
        place: `${mailbox.place.address}:${mailbox.place.port}`,
        isDead: mailbox.isDead,
        slowMs: mailbox.isSlow ? mailbox.tookMs : undefined,
        state: states[at] ?? 'up',
        received: mailbox.received,
        lately: lately.received[at] ?? [],
      })),
      events,
      hints,
    }
  }

  function tick(): void {
    draw()
    timer = clock.after(drawEveryMs, tick)
  }

  timer = clock.after(0, tick)
  return {
    tell(by, text) {
      events.push({ atMs: clock.monotonicMs() - beganMs, by, text })
      if (events.length > eventsKept) events.shift()
    },
    end() {
      timer.cancel()
      draw()
      panel.end()
    },
  }
}

function countsOf(world: World): ShownCounts {
  const { taken, missing, turnedAway } = world.ledger.counts
  return { sent: taken, delivered: taken - missing, held: world.look().held, turnedAway }
}

/** What the bars show: the last seconds, one by one. */
function createLately({ mailboxes, look }: World) {
  let before = mailboxes.map(({ received }) => received)
  const received: (readonly number[])[] = mailboxes.map(() => [])
  let held: readonly number[] = []
  const push = (numbers: readonly number[] | undefined, next: number) =>
    [...(numbers ?? []), next].slice(-latelySeconds)
  return {
    get held() {
      return held
    },
    received,
    sample() {
      const now = mailboxes.map((mailbox) => mailbox.received)
      for (const [at, count] of now.entries()) received[at] = push(received[at], count - (before[at] ?? 0))
      before = now
      held = push(held, look().held)
    },
  }
}
