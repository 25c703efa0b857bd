/**
 * The script of mishaps: one backend slow, one dead, all dead, one back, all back. It does things to the backends and says so, and counts; what the
 * gateway makes of it, `observer` tells. It goes on when the gateway has noticed and not by the clock alone, so it is as true on a slow machine.
 */
import type { Cancel } from '../base/cancel.ts'
import type { Clock } from '../base/clock.ts'
import type { Mailbox } from './mailbox.ts'
import { countText, type Tell, type World } from './world.ts'

export interface StoryDeps {
  readonly clock: Clock
  readonly tell: Tell
  /** Somebody else decides from here on. */
  readonly cancel: Cancel
  /** How many times as fast as it is told to a person; what the gateway does takes its own time. */
  readonly speed: number
}

const slowMs = 3_000
const lookEveryMs = 50
/** The gateway looks for a backend that is down every 30 s at the latest. */
const noticedWithinMs = 60_000
const drainedWithinMs = 120_000
const leastHeld = 10

/** @returns whether it was told to its end */
export async function tellStory(world: World, deps: StoryDeps): Promise<boolean> {
  const story = new Story(world, deps)
  const chapters = [
    story.allIsWell,
    story.oneIsSlow,
    story.oneIsDead,
    story.allAreDead,
    story.oneIsBack,
    story.allAreBack,
  ]
  for (const chapter of chapters) {
    await chapter.call(story)
    if (deps.cancel.isCancelled) return false
  }
  return true
}

class Story {
  readonly #world: World
  readonly #deps: StoryDeps
  readonly #mailboxes: readonly Mailbox[]

  constructor(world: World, deps: StoryDeps) {
    this.#world = world
    this.#deps = deps
    this.#mailboxes = world.mailboxes
  }

  async allIsWell(): Promise<void> {
    const { perSecond, domain } = this.#world
    this.#tell(
      'story',
      `Mail flows: ${countText(perSecond, 'message')} a second for ${domain}, shared by three backends.`,
    )
    await this.#stay(7_000)
    await this.#until(() => this.#taken >= 6, noticedWithinMs)
    const each = this.#mailboxes.map(({ number, received }) => `backend ${number} has ${received}`)
    this.#tell('sum', `${countText(this.#taken, 'message')} so far: ${each.join(', ')}.`)
  }

  async oneIsSlow(): Promise<void> {
    const second = this.#mailboxes[1] as Mailbox
    const [before, beforeAll] = [second.received, this.#taken]
    const tookMs = slowMs / this.#deps.speed
    second.slow(tookMs)
    this.#tell('story', `Backend 2 becomes slow: it takes ${secondsText(tookMs)} over each message.`)
    await this.#stay(12_000)
    await this.#until(() => this.#taken - beforeAll >= 6, noticedWithinMs)
    const [got, all] = [second.received - before, this.#taken - beforeAll]
    const longest = secondsText(this.#world.ledger.longestWaitMs)
    this.#tell(
      'sum',
      `Of ${countText(all, 'message')} backend 2 got ${got}: who is busy gets less. No sender waited over ${longest} lately.`,
    )
    if (this.#deps.cancel.isCancelled) return
    second.slow(undefined)
    this.#tell('story', 'Backend 2 is quick again.')
    await this.#stay(2_000)
  }

  async oneIsDead(): Promise<void> {
    const second = this.#mailboxes[1] as Mailbox
    const before = this.#taken
    this.#tell('story', 'Backend 2 dies: nothing listens on its port any more.')
    await this.#kill([second])
    await this.#until(() => this.#isDown(second), noticedWithinMs)
    await this.#stay(5_000)
    this.#tell(
      'sum',
      `${countText(this.#taken - before, 'message')} came meanwhile and went to backends 1 and 3. ${this.#turnedAway()}`,
    )
    await this.#revive('Backend 2 comes back.', [second])
    await this.#stay(5_000)
  }

  async allAreDead(): Promise<void> {
    this.#tell('story', 'All three backends die.')
    await this.#kill(this.#mailboxes)
    await this.#until(() => this.#mailboxes.every((mailbox) => this.#isDown(mailbox)), noticedWithinMs)
    await this.#stay(12_000)
    await this.#until(() => this.#held >= leastHeld, noticedWithinMs)
    this.#tell('sum', `${countText(this.#held, 'message')} held, with nobody to deliver to. ${this.#turnedAway()}`)
  }

  async oneIsBack(): Promise<void> {
    const text = 'Backend 1 comes back. The gateway looks for it after 1, 2, 4, 8, 15 and then every 30 seconds.'
    await this.#revive(text, this.#mailboxes.slice(0, 1))
    await this.#until(() => this.#held === 0, drainedWithinMs)
    await this.#stay(3_000)
  }

  async allAreBack(): Promise<void> {
    await this.#revive('Backends 2 and 3 come back.', this.#mailboxes.slice(1))
    await this.#stay(5_000)
  }

  get #taken(): number {
    return this.#world.ledger.counts.taken
  }

  get #held(): number {
    return this.#world.look().held
  }

  #turnedAway(): string {
    const { turnedAway } = this.#world.ledger.counts
    return turnedAway === 0
      ? 'No sender was turned away.'
      : `${countText(turnedAway, 'time')} a sender was asked to come again.`
  }

  #isDown({ number }: Mailbox): boolean {
    const state = this.#world.look().states[number - 1]
    return state === 'down' || state === 'out'
  }

  async #kill(mailboxes: readonly Mailbox[]): Promise<void> {
    if (!this.#deps.cancel.isCancelled) await Promise.all(mailboxes.map((mailbox) => mailbox.kill()))
  }

  async #revive(text: string, mailboxes: readonly Mailbox[]): Promise<void> {
    if (this.#deps.cancel.isCancelled) return
    await Promise.all(mailboxes.map((mailbox) => mailbox.revive()))
    this.#tell('story', text)
    await this.#until(() => !mailboxes.some((mailbox) => this.#isDown(mailbox)), noticedWithinMs)
  }

  /** Says nothing any more where somebody has taken over. */
  #tell: Tell = (by, text) => {
    if (!this.#deps.cancel.isCancelled) this.#deps.tell(by, text)
  }

  #stay(ms: number): Promise<void> {
    const untilMs = this.#deps.clock.monotonicMs() + ms / this.#deps.speed
    return this.#until(() => this.#deps.clock.monotonicMs() >= untilMs, ms)
  }

  /** Until it is so, or that much time has passed, or somebody has taken over. */
  async #until(isSo: () => boolean, mostMs: number): Promise<void> {
    const { clock, cancel } = this.#deps
    const endMs = clock.monotonicMs() + mostMs
    while (!cancel.isCancelled && !isSo() && clock.monotonicMs() < endMs) {
      await new Promise<void>((resolve) => void clock.after(lookEveryMs, resolve))
    }
  }
}

const secondsText = (ms: number) => `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 1)} s`
