/**
 * What looking costs: the time to the first page with many messages held, alone and while messages flow at a pace, in a real browser; and the processor time a
 * message of the gateway with nobody and with ten people looking, in turns. npm run bench:web -- --help
 *
 * "First page" is from the beginning of the navigation to the frame behind the one in which the words that a person came for are in the page (the headline of the
 * overview, a row of the queue), by the browser's own clock, in a context that has nothing kept. "As driven" is the same from outside, with what it takes to tell the
 * browser and to hear from it.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Browser, chromium } from 'playwright-core'
import { run } from '../../test/interop/harness/program.ts'
import { freeAddress, freePort } from '../../test/lab/loopback.ts'
import { until } from '../../test/lab/until.ts'
import { median } from '../figures.ts'
import { fill } from '../hold/fill.ts'
import { type Daemon, processorMs, startDaemon, untilGreets } from '../relay/daemon.ts'
import { type Sink, startSink } from '../relay/sink.ts'
import { type Paced, startPaced } from './pace.ts'

const help = `Measures what the dashboard costs.

  --held N     messages that are held (1000000)
  --loads N    pages that are loaded, of each kind (20)
  --pace N     messages a second that flow (1000)
  --rounds N   rounds with and without viewers, in turns (12)
  --seconds N  that half a round takes (3)
  --viewers N  that look (10)`

const { values } = parseArgs({
  options: {
    held: { type: 'string', default: '1000000' },
    loads: { type: 'string', default: '20' },
    pace: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '3' },
    viewers: { type: 'string', default: '10' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  process.stdout.write(`${help}\n`)
  process.exit(0)
}
const [held, loads, pace, rounds, seconds, viewers] = [
  values.held,
  values.loads,
  values.pace,
  values.rounds,
  values.seconds,
  values.viewers,
].map(Number) as [number, number, number, number, number, number]
/** In front of the time at which a page was seen. */
const seenWord = 'seen at '
const waypost = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

interface Served {
  readonly daemon: Daemon
  readonly address: string
  readonly port: number
  readonly link: string
}

async function serve(folder: string, sink: Sink): Promise<Served> {
  const address = freeAddress()
  const port = await freePort(address)
  const config = {
    hostname: 'mx.example.test',
    state: join(folder, 'state'),
    listen: { smtp: [`${address}:${port}`], http: '127.0.0.1:0' },
    limits: { connectionRate: 100_000, connectionsPerAddress: 1000, connectionsPerNetwork: 1000 },
    domains: {
      'example.test': { deliver: `smtp://${sink.address}:${sink.port}` },
      'held.test': { deliver: `smtp://${freeAddress()}:9` },
    },
  }
  const file = join(folder, 'waypost.yaml')
  await writeFile(file, JSON.stringify(config))
  const output = join(folder, 'waypost.out')
  const daemon = startDaemon(waypost, ['serve', '-c', file, '--log-level', 'warn'], output)
  // A million held messages are read first.
  for (let tries = 1; ; tries++) {
    const greets = await untilGreets(address, port).then(
      () => true,
      () => false,
    )
    if (greets) break
    if (tries === 6) throw new Error(`it does not listen: ${readFileSync(output, 'utf8')}`)
  }
  await until(() => readFileSync(output, 'utf8').includes('Dashboard: '), 60_000, 'the dashboard')
  const { stdout } = await run(waypost, ['web', 'link', '-c', file], { timeoutMs: 20_000 })
  return { daemon, address, port, link: stdout.trim() }
}

interface Times {
  /** By the browser's own clock, from the beginning of the navigation. */
  readonly inside: number[]
  readonly asDriven: number[]
}

/** In a context without a cache; milliseconds. */
async function pageTimes(
  browser: Browser,
  { link }: Served,
  state: Awaited<ReturnType<typeof enter>>,
  path: string,
  ready: string,
): Promise<Times> {
  const times: Times = { inside: [], asDriven: [] }
  for (let load = 0; load < loads; load++) {
    const context = await browser.newContext({ storageState: state })
    const page = await context.newPage()
    await page.addInitScript(noteWhenSeen, { ready, seenWord })
    const begunMs = performance.now()
    // What is waited for by a selector brings a script of the driver's own into the page, which takes it longer than ours.
    const seen = page.waitForEvent('console', (message) => message.text().startsWith(seenWord))
    await page.goto(new URL(path, link).href, { waitUntil: 'commit' })
    const said = (await seen).text()
    times.asDriven.push(performance.now() - begunMs)
    times.inside.push(Number(said.slice(seenWord.length)))
    await context.close()
  }
  return times
}

/** Runs in the page. */
function noteWhenSeen({ ready, seenWord }: { readonly ready: string; readonly seenWord: string }): void {
  const { console, document, MutationObserver, requestAnimationFrame } = globalThis as unknown as {
    console: { log(text: string): void }
    document: { querySelector(selector: string): { textContent: string } | null }
    MutationObserver: new (run: () => void) => { observe(node: unknown, options: object): void; disconnect(): void }
    requestAnimationFrame: (run: () => void) => void
  }
  const observer = new MutationObserver(() => {
    if (!document.querySelector(ready)?.textContent) return
    observer.disconnect()
    // The frame behind the one that has it begins when that one was drawn.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        console.log(`${seenWord}${performance.now()}`)
      }),
    )
  })
  observer.observe(document, { childList: true, subtree: true, characterData: true })
}

async function enter(browser: Browser, link: string) {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(link)
  await page.waitForSelector('.headline h1')
  const state = await context.storageState()
  await context.close()
  return state
}

/** Reads the event stream as a page does, and forgets it. Resolves when it looks: what it costs to come is the page's. @returns ends it */
async function look(link: string, cookie: string): Promise<() => void> {
  const ended = new AbortController()
  const response = await fetch(new URL('/api/events', link), { headers: { cookie }, signal: ended.signal })
  const reader = response.body?.getReader()
  await reader?.read()
  void (async () => {
    try {
      while (!(await reader?.read())?.done) {
        // What a page would draw.
      }
    } catch (error) {
      if (!ended.signal.aborted) throw error
    }
  })()
  return () => ended.abort()
}

function show(name: string, { inside, asDriven }: Times): void {
  const words = (times: readonly number[]) =>
    `median ${Math.round(median(times) ?? 0)} ms, slowest ${Math.round(Math.max(...times))} ms`
  process.stdout.write(`${name.padEnd(26)} ${words(inside)}; as driven ${words(asDriven)}\n`)
}

/** Processor milliseconds of the gateway for each message that was taken in the time of a round. */
async function cost(served: Served, paced: Paced): Promise<number> {
  const before = { processor: processorMs(served.daemon.pid), ...(await paced.progress()) }
  await delay(seconds * 1_000)
  const { taken } = await paced.progress()
  return (processorMs(served.daemon.pid) - before.processor) / (taken - before.taken)
}

/** What viewers cost: rounds without and with them, by turns, because the machine is not the same for long. */
async function watchedCost(served: Served, cookie: string): Promise<void> {
  const paced = startPaced(served, pace)
  await delay(1_000)
  const alone: number[] = []
  const watched: number[] = []
  const more: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const without = await cost(served, paced)
    const ends = await Promise.all(Array.from({ length: viewers }, () => look(served.link, cookie)))
    const looked = await cost(served, paced)
    for (const end of ends) end()
    alone.push(without)
    watched.push(looked)
    more.push((looked / without - 1) * 100)
    process.stdout.write(`round ${round}: ${without.toFixed(3)} ms a message, ${looked.toFixed(3)} ms with viewers\n`)
  }
  const kept = Math.round(await paced.stop())
  process.stdout.write(
    `processor time a message: ${median(alone)?.toFixed(3)} ms with nobody looking, ${median(watched)?.toFixed(3)} ms with ${viewers}; a round: median ${median(more)?.toFixed(1)} % more, ${Math.min(...more).toFixed(1)} to ${Math.max(...more).toFixed(1)} %; ${kept} messages a second\n`,
  )
}

const folder = await mkdtemp(join(tmpdir(), 'waypost-bench-web-'))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
const sink = await startSink(freeAddress(), folder)
try {
  const filledMs = performance.now()
  await fill(join(folder, 'state'), held)
  process.stdout.write(
    `${held.toLocaleString('en')} messages held, in ${Math.round((performance.now() - filledMs) / 1000)} s\n`,
  )
  const served = await serve(folder, sink)
  try {
    const state = await enter(browser, served.link)
    const cookie = state.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    show('overview, nothing flows', await pageTimes(browser, served, state, '/', '.headline h1'))
    show('queue, nothing flows', await pageTimes(browser, served, state, '/queue', 'tbody tr'))

    const paced = startPaced(served, pace)
    await delay(1_000)
    show('overview, messages flow', await pageTimes(browser, served, state, '/', '.headline h1'))
    show('queue, messages flow', await pageTimes(browser, served, state, '/queue', 'tbody tr'))
    process.stdout.write(`${'meanwhile'.padEnd(26)} ${Math.round(await paced.stop())} messages a second\n`)

    await watchedCost(served, cookie)
  } finally {
    await served.daemon.stop()
  }
} finally {
  await sink.stop()
  await browser.close()
  await rm(folder, { recursive: true, force: true })
}
