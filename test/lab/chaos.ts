/**
 * Senders that send, backends that come and go, and a gateway process that is killed at moments that a seed decides, and started again on the same
 * state; then the oracle's judgement. The same seed makes the same decisions; what the machine makes of them is up to it. Used by `test/e2e` with
 * few kills and by `test/long` with many.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Random, seededRandom } from '../../src/base/random.ts'
import type { FakeBackend } from './backend.ts'
import { Dialogue } from './dialogue.ts'
import { openLabHolding } from './holding.ts'
import type { Lab } from './lab.ts'
import { createOracle, type Judgement, type Numbered, type Oracle } from './oracle.ts'
import type { ConfigurationWords, WaypostProcess } from './process.ts'
import { stuffed } from './send.ts'
import type { Answer } from './words.ts'

export interface ChaosWords {
  readonly seed: number
  readonly kills: number
  /** Time between two kills, at most. */
  readonly lifeMs?: number
  readonly senders?: number
  /** Messages that must have been promised in the end: the last life goes on until then, however slow the machine is. */
  readonly leastPromised?: number
  /** Done to the state folder while nothing runs, before each start. */
  readonly betweenLives?: (state: string) => Promise<void>
}

export interface ChaosReport extends Judgement {
  readonly seed: number
  readonly kills: number
  /** Times that a sender came again. */
  readonly retries: number
}

interface Scene {
  readonly lab: Lab
  readonly words: ChaosWords
  readonly random: Random
  readonly oracle: Oracle
  readonly backends: readonly FakeBackend[]
  process: WaypostProcess
  isOver: boolean
  retries: number
}

export async function runChaos(lab: Lab, words: ChaosWords): Promise<ChaosReport> {
  const random = seededRandom(words.seed)
  const oracle = createOracle()
  const answers = seededRandom(words.seed + 1)
  const backends = await Promise.all([1, 2, 3].map(() => lab.backend(moody(oracle, answers))))
  const [first, second, third] = backends
  const config: ConfigurationWords = {
    domains: {
      'example.test': { deliver: [first, { to: second, preference: 20 }] },
      'other.test': { deliver: third },
    },
    limits: { connectionRate: 100_000 },
  }
  const scene: Scene = {
    lab,
    words,
    random,
    oracle,
    backends,
    process: await lab.process({ config }),
    isOver: false,
    retries: 0,
  }
  const senders = Array.from({ length: words.senders ?? 6 }, (_, number) =>
    send(scene, seededRandom(words.seed * 1_000 + number)),
  )
  const weather = backends.map((backend, number) => comeAndGo(scene, backend, seededRandom(words.seed * 100 + number)))
  try {
    await killAgainAndAgain(scene, config)
  } finally {
    scene.isOver = true
  }
  await Promise.all([...senders, ...weather])
  scene.process.signal('SIGTERM')
  await scene.process.exited
  oracle.logged(scene.process.lines)
  return { ...(await judge(scene)), seed: words.seed, kills: words.kills, retries: scene.retries }
}

/** Mostly yes; sometimes it thinks first, defers, has no room, refuses the message, or breaks off instead of answering. */
function moody(oracle: Oracle, random: Random) {
  return {
    async afterDot(message: Parameters<Oracle['arrived']>[0]): Promise<Answer | undefined> {
      const mood = random.number()
      // From here on it may be broken off before its answer is heard.
      oracle.arrived(message)
      if (mood < 0.1) await wait(100 * random.number())
      if (mood > 0.98) return 'reset'
      if (mood > 0.96) return 'close'
      if (mood > 0.94) return '452 4.3.1 no room'
      if (mood > 0.92) return '450 4.2.0 later'
      return undefined
    },
  }
}

async function comeAndGo(scene: Scene, backend: FakeBackend, random: Random): Promise<void> {
  while (!scene.isOver) {
    await wait(300 + 2_500 * random.number())
    scene.oracle.brokenOff(backend)
    await backend.kill()
    await wait(1_500 * random.number())
    await backend.restart()
  }
}

async function killAgainAndAgain(scene: Scene, config: ConfigurationWords): Promise<void> {
  const { lab, words, random, oracle } = scene
  for (let number = 0; number < words.kills; number++) {
    await wait((words.lifeMs ?? 1_500) * random.number())
    scene.process.signal('SIGKILL')
    oracle.killed()
    await scene.process.exited
    oracle.logged(scene.process.lines)
    await words.betweenLives?.(scene.process.state)
    scene.process = await lab.process({ config, after: scene.process })
  }
  // A life that ends as it should, with something to do.
  const least = Math.max(oracle.promised + 20, words.leastPromised ?? 0)
  await lab.until(() => oracle.promised >= least, 300_000)
}

/** As a mail server does it: one message after the other, again and again until it is answered for good. */
async function send(scene: Scene, random: Random): Promise<void> {
  let dialogue: Dialogue | undefined
  while (!scene.isOver) {
    const size = random.number() < 0.03 ? 300_000 + 200_000 * random.number() : 500 + 8_000 * random.number()
    const message = scene.oracle.next(recipientsOf(random), Math.floor(size), random)
    for (;;) {
      const told = await sendOnce(scene, message, dialogue)
      dialogue = told.dialogue
      if (told.code === 250 || told.code >= 500) {
        scene.oracle.heard(message, told.code)
        break
      }
      if (scene.isOver) break
      scene.retries++
      await wait(20 + 80 * random.number())
    }
    // A new connection now and then.
    if (random.number() < 0.3) {
      dialogue?.destroy()
      dialogue = undefined
    }
  }
  dialogue?.destroy()
}

function recipientsOf(random: Random): readonly string[] {
  const name = (domain: string) => `user${Math.floor(random.number() * 50)}@${domain}`
  const kind = random.number()
  if (kind < 0.6) return [name('example.test')]
  if (kind < 0.8) return [name('other.test')]
  return [name('example.test'), name('other.test')]
}

/** @returns what was heard in the end; 0 where the connection ended, and then the message may have been taken */
async function sendOnce(
  { oracle, process }: Scene,
  message: Numbered,
  open: Dialogue | undefined,
): Promise<{ readonly code: number; readonly dialogue: Dialogue | undefined }> {
  let dialogue = open
  let isDotSent = false
  try {
    if (!dialogue) {
      dialogue = await Dialogue.open({ address: process.address, port: process.port, waitMs: 60_000 })
      if ((await dialogue.nextReply())?.code !== 220) throw new Error('no greeting')
      await dialogue.command('EHLO sender.test', 250)
    }
    await dialogue.command('MAIL FROM:<someone@sender.test> BODY=8BITMIME', 250)
    for (const recipient of message.to) {
      const { code } = await dialogue.command(`RCPT TO:<${recipient}>`)
      if (code !== 250) {
        await dialogue.command('RSET', 250)
        return { code, dialogue }
      }
    }
    await dialogue.command('DATA', 354)
    await dialogue.write(stuffed(message.content))
    isDotSent = true
    const verdict = await dialogue.nextReply()
    if (!verdict) throw new Error('no verdict')
    return { code: verdict.code, dialogue }
  } catch {
    if (isDotSent) oracle.unheard(message)
    dialogue?.destroy()
    return { code: 0, dialogue: undefined }
  }
}

async function judge({ backends, oracle, process }: Scene): Promise<Judgement> {
  const holding = await openLabHolding(process.state, {
    log: silentLog,
    clock: systemClock,
    limits: { holdBytes: undefined, freeBytes: undefined },
  })
  try {
    return await oracle.judge(backends, holding.queue)
  } finally {
    await holding.close()
  }
}

/** Another one each time, or the one that is asked for by `WAYPOST_SEED`; said aloud, so that a run can be repeated. */
export function seedFor(t: { diagnostic(text: string): void }): number {
  const seed = Number(process.env.WAYPOST_SEED ?? Math.floor(Math.random() * 1_000_000))
  t.diagnostic(`WAYPOST_SEED=${seed}`)
  return seed
}

export function assertNothingLost(report: Judgement): void {
  assert.deepEqual(report.lost, [], 'promised, and nowhere')
  assert.deepEqual(report.changed, [], 'not what was sent')
  assert.deepEqual(report.unexcused, [], 'copies without need')
  assert.deepEqual(report.undead, [], 'refused, and there nevertheless')
}

/** One line for people. */
export const summaryOf = ({ seed, kills, promised, atBackends, held, excused, retries, ...wrong }: ChaosReport) =>
  JSON.stringify({
    ...{ seed, kills, promised, atBackends, held, excused, retries },
    ...Object.fromEntries(Object.entries(wrong).map(([what, names]) => [what, names.length])),
  })
