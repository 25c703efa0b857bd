/**
 * What looking costs: the time to the first page with many messages held, alone and while messages flow at a pace, in a real browser; and the processor time a
 * message of the gateway with nobody and with ten people looking (`watched.ts`). npm run bench:web -- --help
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
import { type Daemon, startDaemon, untilGreets } from '../relay/daemon.ts'
import { type Sink, startSink } from '../relay/sink.ts'
import { startPaced } from './pace.ts'
import { watchedCost } from './watched.ts'

const help = `Measures what the dashboard costs.

  --held N     messages that are held (1000000)
  --loads N    pages that are loaded, of each kind (20)
  --pace N     messages a second that flow (1000)
  --pairs N    windows without and with viewers, in turns (150)
  --seconds N  that one of them takes (1)
  --viewers N  that look (10)`

const { values } = parseArgs({
  options: {
    held: { type: 'string', default: '1000000' },
    loads: { type: 'string', default: '20' },
    pace: { type: 'string', default: '1000' },
    pairs: { type: 'string', default: '150' },
    seconds: { type: 'string', default: '1' },
    viewers: { type: 'string', default: '10' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  process.stdout.write(`${help}\n`)
  process.exit(0)
}
const [held, loads, pace, pairs, seconds, viewers] = [
  values.held,
  values.loads,
  values.pace,
  values.pairs,
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

function show(name: string, { inside, asDriven }: Times): void {
  const words = (times: readonly number[]) =>
    `median ${Math.round(median(times) ?? 0)} ms, slowest ${Math.round(Math.max(...times))} ms`
  process.stdout.write(`${name.padEnd(26)} ${words(inside)}; as driven ${words(asDriven)}\n`)
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

    const looking = { ...served, pid: served.daemon.pid, cookie }
    process.stdout.write(`${await watchedCost(looking, { pace, pairs, seconds, viewers })}\n`)
  } finally {
    await served.daemon.stop()
  }
} finally {
  await sink.stop()
  await browser.close()
  await rm(folder, { recursive: true, force: true })
}
