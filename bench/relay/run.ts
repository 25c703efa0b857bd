/**
 * Accept-and-relay, side by side: `smtp-source` → relay → `smtp-sink` (Debian's postfix), all relays in one run and interleaved, so
 * that what else the machine does hurts them alike. Needs root for the Postfix ones. npm run bench:relay -- --help
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freeAddress } from '../../test/lab/loopback.ts'
import { type Contender, type ContenderName, contenderNames, startContender } from './contenders.ts'
import { type Measured, measure } from './measure.ts'
import { type Round, summarise, table } from './report.ts'
import { type Sink, startSink } from './sink.ts'
import type { Load, Mode } from './source.ts'

const help = `Measures how fast messages are taken in and relayed, and what that costs.

  --messages N   in each run (8000); postfix-queue gets a quarter, which takes it as long
  --warm N       before, for what Node compiles as it runs (30000)
  --rounds N     of each relay and kind of connection (5)
  --length N     octets a message (4096)
  --sessions N   connections at once (20)
  --only A,B     some of: ${contenderNames.join(', ')}
  --mode M       new or reused; default both
  --seconds N    the most that the whole may take (1200); it ends with an error then
  --json FILE    the figures of every round as well
`

interface Plan {
  readonly names: readonly ContenderName[]
  readonly modes: readonly Mode[]
  readonly warm: number
  readonly rounds: number
  readonly load: Omit<Load, 'mode'>
  readonly endMs: number
  readonly json: string | undefined
}

function readPlan(args: string[]): Plan | undefined {
  const number = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    args,
    options: {
      messages: number('8000'),
      warm: number('30000'),
      rounds: number('5'),
      length: number('4096'),
      sessions: number('20'),
      seconds: number('1200'),
      only: { type: 'string', default: contenderNames.join(',') },
      mode: { type: 'string', default: 'new,reused' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const count = (text: string) => {
    if (!/^[1-9]\d{0,6}$/.test(text)) throw new TypeError(`not a number from 1 to 9999999: ${text}`)
    return Number(text)
  }
  return {
    names: chosen(contenderNames, values.only),
    modes: chosen(['new', 'reused'], values.mode),
    warm: count(values.warm),
    rounds: count(values.rounds),
    load: {
      messages: count(values.messages),
      length: count(values.length),
      sessions: count(values.sessions),
      timeoutMs: 120_000,
    },
    endMs: performance.now() + count(values.seconds) * 1000,
    json: values.json,
  }
}

function chosen<T extends string>(known: readonly T[], text: string): readonly T[] {
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word)
    if (!found) throw new TypeError(`not one of ${known.join(', ')}: ${word}`)
    return found
  })
}

async function main(plan: Plan): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-bench-'))
  // Postfix's own users must be able to walk to its folders.
  await chmod(folder, 0o755)
  const ends: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    const address = freeAddress()
    const sink = await startSink(address, folder)
    ends.push(() => sink.stop())
    const ground = { sink, address, folder, atEnd: (run: () => unknown) => void ends.push(run) }
    const contenders: Contender[] = []
    for (const name of plan.names) contenders.push(await startContender(name, ground))
    const rounds = await runRounds(plan, contenders, sink)
    const lines = summarise(rounds, plan.modes, plan.names)
    process.stdout.write(`${table(lines)}\n`)
    if (plan.json)
      await writeFile(plan.json, JSON.stringify({ load: plan.load, lines, rounds: plain(rounds) }, null, 2))
  } finally {
    for (let end = ends.pop(); end; end = ends.pop()) await end()
  }
}

async function runRounds(plan: Plan, contenders: readonly Contender[], sink: Sink): Promise<Round[]> {
  const rounds: Round[] = []
  for (const mode of plan.modes) {
    // Once before what counts, so that processes are forked and code is compiled: V8 goes on with that for nearly thirty thousand messages.
    for (const contender of contenders) {
      const messages = isCompiled(contender.name) ? plan.warm : Math.min(plan.warm, messagesOf(contender.name, plan))
      await measure(contender, sink, { ...plan.load, mode, messages })
    }
    for (let round = 0; round < plan.rounds; round++) {
      const results = new Map<ContenderName, Measured>()
      // Each round begins with another one, so that no relay always runs behind the same.
      for (let index = 0; index < contenders.length; index++) {
        const contender = contenders[(index + round) % contenders.length]
        if (!contender) continue
        if (performance.now() > plan.endMs) throw new Error('the time for the whole is used up; see --seconds')
        const measured = await measure(contender, sink, {
          ...plan.load,
          mode,
          messages: messagesOf(contender.name, plan),
        })
        results.set(contender.name, measured)
        process.stderr.write(`${mode} ${round + 1} ${contender.name} ${measured.perSecond.toFixed(0)}/s\n`)
      }
      rounds.push({ mode, results })
    }
  }
  return rounds
}

/** Short runs tell more of how they begin than of what goes on. */
const messagesOf = (name: ContenderName, { load }: Plan) =>
  name === 'postfix-queue' ? Math.ceil(load.messages / 4) : load.messages

const isCompiled = (name: ContenderName) => name === 'waypost' || name === 'minimum'

const plain = (rounds: readonly Round[]) =>
  rounds.map(({ mode, results }) => ({ mode, results: Object.fromEntries(results) }))

const plan = readPlan(process.argv.slice(2))
if (plan) await main(plan)
else process.stdout.write(help)
