/**
 * The demo from its beginning to its end:
 *   a folder → three backends → `waypost serve` in front of them → a sender → the story, or a person at the keys → what is held drains → the proof
 * Whatever ends it, nothing is left: no folder, nothing that listens.
 */
import { Cancel } from '../../base/cancel.ts'
import { type Clock, within } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import { silentLog } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { type Counts, createLedger, type Ledger } from '../../demo/ledger.ts'
import { readNumber } from '../../demo/letter.ts'
import { type Mailbox, startMailbox } from '../../demo/mailbox.ts'
import { createObserver } from '../../demo/observer.ts'
import { createSender, type Sender } from '../../demo/sender.ts'
import { tellStory } from '../../demo/story.ts'
import { countText, type Tell, type World } from '../../demo/world.ts'
import type { Signals } from '../serve/signals.ts'
import { whyNotBound } from '../serve/why-not-bound.ts'
import type { ExitCode, Keys, Panel, Terminal } from '../terminal.ts'
import { type DemoFolder, makeDemoFolder } from './folder.ts'
import { configGist, type DemoGateway, type ServingDeps, startDemoGateway } from './gateway.ts'
import { createView, type View } from './view.ts'

export interface DemoOptions {
  /** Messages, 1–20. */
  readonly perSecond: number
  readonly speed: number
  /** Whether it ends when the story is over. */
  readonly once: boolean
}

export interface DemoDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
  readonly terminal: Terminal
  /** Undefined: lines. */
  readonly panel: Panel | undefined
  /** Undefined: nobody can press any. */
  readonly keys: Keys | undefined
  readonly signals: Signals
  readonly serving: ServingDeps
  /** How one calls Waypost where this was started. */
  readonly program: string
}

const domain = 'example.test'
/** A server that checks and stores a message takes about so long. */
const usualMs = 200
const endsWithinMs = 5_000
const drainsWithinMs = 60_000
const retryEveryMs = 1_000

export async function runDemo(options: DemoOptions, deps: DemoDeps): Promise<ExitCode> {
  let folder: DemoFolder
  try {
    folder = await makeDemoFolder()
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    deps.terminal.err(`waypost: no folder for temporary files can be made (${code})\n`)
    return 2
  }
  const ending = createEnding(deps)
  const mailboxes: Mailbox[] = []
  try {
    return await runIn(folder.path, mailboxes, ending, options, deps)
  } catch (error) {
    const why = whyNotBound(error)
    if (why === undefined) throw error
    deps.terminal.err(`waypost: ${why}\n`)
    return 2
  } finally {
    deps.keys?.end()
    await Promise.all(mailboxes.map((mailbox) => mailbox.stop()))
    await folder.remove()
  }
}

async function runIn(
  folder: string,
  mailboxes: Mailbox[],
  ending: Ending,
  options: DemoOptions,
  deps: DemoDeps,
): Promise<ExitCode> {
  const { clock, random, door, terminal } = deps
  const ledger = createLedger()
  const run = random.bytes(8).toString('hex')
  const stored = (head: string) => {
    const id = readNumber(head, run)
    if (id !== undefined) ledger.arrived(id)
  }
  for (const number of [1, 2, 3])
    mailboxes.push(await startMailbox({ number, domain, usualMs }, { clock, log: silentLog, stored }))
  const config = { domain, places: mailboxes.map(({ place }) => place) }
  const started = await startDemoGateway(folder, config, deps.serving)
  if (started.kind === 'failed') {
    terminal.err(`waypost: ${started.why}\n`)
    return 2
  }
  const { gateway } = started
  const sender = createSender({ to: gateway.place, domain, perSecond: options.perSecond, run }, { clock, door, ledger })
  const world: World = { mailboxes, ledger, perSecond: options.perSecond, domain, look: gateway.look }
  const smtp = `${gateway.place.address}:${gateway.place.port}`
  terminal.out(introduction(configGist(config)))
  const hints = hintLines(gateway, smtp, deps)
  if (!deps.panel) terminal.out(`${hints.join('\n')}\n\n`)
  const view = createView(world, hints, deps)
  const observer = createObserver(world, view.tell, clock)
  let heldAtEnd = 0
  try {
    sender.start()
    await goOn(world, view, ending, options, deps)
    await finish(world, sender, gateway, view.tell, ending, clock)
  } finally {
    observer.stop()
    view.end()
    heldAtEnd = await gateway.stop()
  }
  return prove(ledger, heldAtEnd, terminal)
}

/** Until somebody ends it, or the story where that is the end. */
async function goOn(world: World, { tell }: View, ending: Ending, options: DemoOptions, deps: DemoDeps): Promise<void> {
  const { clock, keys } = deps
  const takenOver = new Cancel()
  const stopListening = ending.asked.whenCancelled(() => takenOver.cancel())
  const act = (mailbox: Mailbox) => {
    if (!takenOver.isCancelled) tell('you', 'You take over: the story stops here.')
    takenOver.cancel()
    void killOrRevive(mailbox, tell)
  }
  ending.onDigit = (digit) => {
    const mailbox = world.mailboxes[digit - 1]
    if (mailbox) act(mailbox)
  }
  const isTold = await tellStory(world, { clock, tell, cancel: takenOver, speed: options.speed })
  if (!isTold || !options.once) {
    if (isTold)
      tell(
        'sum',
        keys ? 'That was the story. Mail flows on: press 1, 2 or 3, or q.' : 'That was the story. Mail flows on.',
      )
    await ending.whenAsked
  }
  ending.onDigit = () => undefined
  stopListening()
}

async function killOrRevive(mailbox: Mailbox, tell: Tell): Promise<void> {
  const { number, isDead } = mailbox
  tell('you', isDead ? `You revive backend ${number}.` : `You kill backend ${number}.`)
  try {
    await (isDead ? mailbox.revive() : mailbox.kill())
  } catch (error) {
    const why = whyNotBound(error)
    if (why === undefined) throw error
    tell('you', `Backend ${number} cannot come back: ${why}.`)
  }
}

/** No new messages; what was taken arrives, unless somebody is in a hurry. */
async function finish(
  { mailboxes, look }: World,
  sender: Sender,
  gateway: DemoGateway,
  tell: Tell,
  ending: Ending,
  clock: Clock,
): Promise<void> {
  tell('story', 'The sender stops.')
  for (const mailbox of mailboxes) mailbox.slow(undefined)
  await sender.stop(endsWithinMs)
  if (look().held === 0 || ending.hurry.isCancelled) return
  tell('story', `${countText(look().held, 'message')} held still: every backend comes back, so that they can go.`)
  await Promise.allSettled(mailboxes.map((mailbox) => mailbox.revive()))
  const endMs = clock.monotonicMs() + drainsWithinMs
  while (look().held > 0 && !ending.hurry.isCancelled && clock.monotonicMs() < endMs) {
    await gateway.retry()
    await within(ending.whenHurried, clock.monotonicMs() + retryEveryMs, clock)
  }
}

/** @returns 0 where every message that was taken is in one mailbox, once, or held */
function prove({ counts }: Ledger, held: number, terminal: Terminal): ExitCode {
  const { taken, arrivedOnce, arrivedTwice, missing }: Counts = counts
  const lost = Math.max(0, missing - held)
  const parts = [`${countText(taken, 'message')} sent`, `${arrivedOnce.toLocaleString('en')} delivered once`]
  if (arrivedTwice > 0) parts.push(`${arrivedTwice.toLocaleString('en')} delivered more than once`)
  if (missing > lost) parts.push(`${(missing - lost).toLocaleString('en')} still held when it ended`)
  terminal.out(`\n${parts.join(', ')}, ${lost.toLocaleString('en')} lost.\n`)
  return lost === 0 && arrivedTwice === 0 ? 0 : 1
}

const introduction = (
  gist: string,
) => `Three mail servers, and a gateway in front of them: they are its backends. One will
be slow, one will die, then all of them, and they come back; the mail goes on. It is
all within this process and on this machine alone. What the gateway was told:

${gist}
`

function hintLines(
  { configFile, dashboard }: DemoGateway,
  smtp: string,
  { keys, program }: DemoDeps,
): readonly string[] {
  return [
    // A line of its own, because one that is cut off leads nowhere.
    ...(dashboard ? ['The same in a browser (the link works once):', dashboard] : []),
    ...(keys ? ['1 2 3  kill or revive a backend      q  end'] : []),
    `Also: ${program} queue list -c ${configFile}`,
    `      ${program} send --server ${smtp} --to anna@${domain}`,
  ]
}

interface Ending {
  /** Somebody wants it to end. */
  readonly asked: Cancel
  readonly whenAsked: Promise<void>
  /** At once: what is held stays held. */
  readonly hurry: Cancel
  readonly whenHurried: Promise<void>
  /** 1, 2, 3 were pressed. */
  onDigit: (digit: number) => void
}

function createEnding({ keys, signals }: DemoDeps): Ending {
  const asked = new Cancel()
  const hurry = new Cancel()
  const when = (cancel: Cancel) => new Promise<void>((resolve) => void cancel.whenCancelled(resolve))
  const ending: Ending = {
    asked,
    whenAsked: when(asked),
    hurry,
    whenHurried: when(hurry),
    onDigit: () => undefined,
  }
  const end = () => {
    // Somebody does not want to wait for anything any more; the folder goes all the same.
    if (hurry.isCancelled) signals.exit(1)
    asked.cancel()
    hurry.cancel()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) signals.on(signal, end)
  keys?.onKey((key) => {
    if (key === '\x03' || key === '\x04') end()
    else if (key === 'q' || key === 'Q') (asked.isCancelled ? hurry : asked).cancel()
    else if (/[1-3]/.test(key)) ending.onDigit(Number(key))
  })
  return ending
}
