/**
 * What people who look cost the gateway: processor time a message with nobody and with viewers, in short windows by turns, at one pace. Called by `run.ts`.
 *
 * What a message costs swings by a tenth and more from one second to the next, whoever looks (the machine has other things to do, and messages come in
 * larger or smaller bunches). So each window is compared with its neighbour alone, which of the two comes first changes each time, there are many of them,
 * and beside the median stands how far it is to be trusted. What it costs to come is the page's, and is no part of any window; but in front of each ten come,
 * and where nobody is to look they go again, so that the two differ by nothing else.
 */
import { once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { median, medianBetween, quantile } from '../figures.ts'
import { processorMs } from '../relay/daemon.ts'
import { type Paced, startPaced } from './pace.ts'

export interface Looking {
  /** Of the gateway. */
  readonly pid: number
  /** Where it takes mail. */
  readonly address: string
  readonly port: number
  /** Of the dashboard. */
  readonly link: string
  readonly cookie: string
}

export interface Plan {
  readonly pace: number
  readonly pairs: number
  readonly seconds: number
  readonly viewers: number
}

/** In front of a window, until coming and going is over. */
const settleMs = 200
/** That is how often the page of the overview asks for its charts. */
const chartsMs = 60_000

/** @returns what was found, in words */
export async function watchedCost(looking: Looking, plan: Plan): Promise<string> {
  const paced = startPaced(looking, plan.pace)
  await delay(2_000)
  const alone: number[] = []
  const watched: number[] = []
  const people = createPeople(looking, plan)
  const window = async (costs: number[], isWatched: boolean) => {
    await people.come()
    if (!isWatched) people.go()
    await delay(settleMs)
    const asks = isWatched ? people.ask() : undefined
    costs.push(await cost(looking, paced, plan.seconds))
    await asks
    people.go()
  }
  for (let pair = 0; pair < plan.pairs; pair++)
    for (const isWatched of pair % 2 === 0 ? [false, true] : [true, false])
      await window(isWatched ? watched : alone, isWatched)
  const kept = Math.round(await paced.stop())
  const more = watched.map((each, pair) => (each / (alone[pair] ?? Number.NaN) - 1) * 100)
  const told = people.told() / (plan.viewers * plan.pairs * plan.seconds)
  return [
    `processor time a message: ${ms(median(alone))} with nobody looking, ${ms(median(watched))} with ${plan.viewers} who were told ${told.toFixed(2)} times a second each, at ${kept} messages a second`,
    `${plan.pairs} pairs of ${plan.seconds} s: ${percent(median(more))} more in the median, which lies between ${medianBetween(more).map(percent).join(' and ')} in 95 of 100 runs; half of the pairs lie between ${percent(quantile(more, 0.25))} and ${percent(quantile(more, 0.75))}`,
  ].join('\n')
}

const ms = (value: number | undefined) => `${value?.toFixed(4)} ms`
const percent = (value: number | undefined) => `${value?.toFixed(1)} %`

/** Processor milliseconds of the gateway for each message that was taken in the time of a window. */
async function cost({ pid }: Looking, paced: Paced, seconds: number): Promise<number> {
  const before = { taken: (await paced.progress()).taken, processor: processorMs(pid) }
  await delay(seconds * 1_000)
  const { taken } = await paced.progress()
  return (processorMs(pid) - before.processor) / (taken - before.taken)
}

/** Half of them have the overview open, half the page of a domain. */
function createPeople({ link, cookie }: Looking, { viewers, seconds }: Plan) {
  const open: ClientRequest[] = []
  let told = 0
  let sinceChartsMs = 0
  const begin = (path: string) => get(new URL(path, link), { headers: { cookie }, agent: false })

  async function look(path: string): Promise<void> {
    const asked = begin(path)
    open.push(asked)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    if (answer.statusCode !== 200) throw new Error(`${path} was answered ${answer.statusCode}`)
    await once(answer, 'data')
    answer.on('data', (chunk: Buffer) => {
      if (chunk.includes('event: overview')) told++
    })
    // It is we who go.
    answer.on('error', () => undefined)
    asked.on('error', () => undefined)
  }

  return {
    /** Resolves when each has seen how things stand. */
    async come() {
      const paths = Array.from({ length: viewers }, (_, number) =>
        number % 2 === 0 ? '/api/events' : '/api/events?domain=example.test',
      )
      await Promise.all(paths.map(look))
    },
    /** What their pages ask beside the stream, as often as they do. */
    async ask() {
      sinceChartsMs += Math.ceil(viewers / 2) * seconds * 1_000
      for (; sinceChartsMs >= chartsMs; sinceChartsMs -= chartsMs) {
        const [answer] = (await once(begin('/api/minutes'), 'response')) as [IncomingMessage]
        await once(answer.resume(), 'end')
      }
    },
    go() {
      for (const asked of open.splice(0)) asked.destroy()
    },
    told: () => told,
  }
}
