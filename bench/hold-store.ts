/**
 * How fast the hold by itself is, without SMTP: messages held durably a second, then drained (`next`, `body` left out, `settle`); fresh, and with
 * many messages held already. npm run bench:hold-store -- --help
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../src/base/clock.ts'
import { openSqliteQueue, queueModule, type SqliteQueue } from '../src/queue/sqlite/queue.ts'
import { openStore } from '../src/store/open.ts'
import { heldId, heldMessage, lane } from '../test/unit/held-message.ts'

const help = `Measures the hold without SMTP.

  --messages N     in each run (20000)
  --length N       octets a body (4096)
  --concurrency A,B  messages at once (20,100)
  --held N         messages that are held already (0)
  --held-length N  octets of theirs (4096)
  --folder PATH    where; default: a temporary folder, removed afterwards`

interface Settings {
  readonly messages: number
  readonly length: number
  readonly concurrencies: readonly number[]
  readonly held: number
  readonly heldLength: number
}

const lanes = ['first', 'second', 'third'].map(lane)
let lastId = 0

async function open(folder: string) {
  const startMs = performance.now()
  const opened = await openStore({ folder, modules: [queueModule] }, { clock: systemClock })
  if (opened.kind !== 'opened') throw new Error(JSON.stringify(opened))
  const queue = await openSqliteQueue(opened.store, {
    clock: systemClock,
    limits: () => ({ holdBytes: Number.MAX_SAFE_INTEGER, freeBytes: 0 }),
    corrupt: (id, why) => console.error(`corrupt ${id}: ${why}`),
    dropped: () => undefined,
  })
  const openedMs = performance.now() - startMs
  const close = async () => {
    await queue.close()
    await opened.store.close()
  }
  return { queue, openedMs, close }
}

/** @returns messages a second, and how long the slowest hundredth took */
async function hold(queue: SqliteQueue, messages: number, length: number, concurrency: number) {
  const body = Buffer.alloc(length, 'abcdefgh\r\n')
  const tookMs: number[] = []
  const startMs = performance.now()
  let left = messages
  const worker = async () => {
    while (left-- > 0) {
      const number = ++lastId
      const to = { [`u${number}@d${number % 1000}.example`]: { lane: lanes[number % lanes.length] ?? lane('') } }
      const words = {
        id: heldId(number),
        body,
        has8bit: false,
        receivedMs: Date.now(),
        sender: `a@s${number % 500}.example`,
        to,
      }
      const beforeMs = performance.now()
      const outcome = await queue.hold(heldMessage(words))
      tookMs.push(performance.now() - beforeMs)
      if (outcome.kind !== 'held') throw new Error(JSON.stringify(outcome))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const rate = (messages / (performance.now() - startMs)) * 1000
  tookMs.sort((a, b) => a - b)
  return { rate, p50: tookMs[tookMs.length >> 1] ?? 0, p99: tookMs[Math.floor(tookMs.length * 0.99)] ?? 0 }
}

/** Takes `messages` out, `concurrency` at once over all lanes. */
async function drain(queue: SqliteQueue, messages: number, concurrency: number) {
  const startMs = performance.now()
  let settled = 0
  await Promise.all(
    lanes.map(async (name) => {
      const going = new Set<string>()
      while (settled < messages) {
        const tasks = await queue.next(name, Math.ceil(concurrency / lanes.length), going)
        if (tasks.length === 0) return
        await Promise.all(
          tasks.map(({ message, recipients }) =>
            queue.settle({
              id: message.id,
              recipients: recipients.map(({ index }) => ({ index, to: { kind: 'gone' } })),
            }),
          ),
        )
        settled += tasks.length
      }
    }),
  )
  return (settled / (performance.now() - startMs)) * 1000
}

async function measure(folder: string, { messages, length, concurrencies, held, heldLength }: Settings): Promise<void> {
  let { queue, close } = await open(folder)
  if (held > queue.totals.messages) {
    const { rate } = await hold(queue, held - queue.totals.messages, heldLength, 256)
    console.log(`filled with ${held} messages of ${heldLength} octets, ${rate.toFixed(0)}/s`)
  }
  if (held > 0) {
    await close()
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    const again = await open(folder)
    queue = again.queue
    close = again.close
    const grown = (process.memoryUsage().rss - before) / 1024 ** 2
    console.log(
      `opened with ${queue.totals.messages} held in ${again.openedMs.toFixed(0)} ms, ${grown.toFixed(0)} MiB more`,
    )
  }
  await hold(queue, Math.min(messages, 2000), length, 100)
  for (const concurrency of concurrencies) {
    const { rate, p50, p99 } = await hold(queue, messages, length, concurrency)
    console.log(
      `hold   ${String(concurrency).padStart(4)} at once: ${rate.toFixed(0).padStart(6)}/s, median ${p50.toFixed(1)} ms, 99th ${p99.toFixed(1)} ms`,
    )
  }
  for (const concurrency of concurrencies) {
    const rate = await drain(queue, messages, concurrency)
    console.log(`drain  ${String(concurrency).padStart(4)} at once: ${rate.toFixed(0).padStart(6)}/s`)
  }
  await close()
}

async function main(): Promise<void> {
  const number = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    options: {
      messages: number('20000'),
      length: number('4096'),
      concurrency: number('20,100'),
      held: number('0'),
      'held-length': number('4096'),
      folder: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(help)
  const folder = values.folder ?? (await mkdtemp(join(tmpdir(), 'waypost-bench-')))
  try {
    await measure(folder, {
      messages: Number(values.messages),
      length: Number(values.length),
      concurrencies: values.concurrency.split(',').map(Number),
      held: Number(values.held),
      heldLength: Number(values['held-length']),
    })
  } finally {
    if (values.folder === undefined) await rm(folder, { recursive: true, force: true })
  }
}

await main()
