/**
 * Holding and draining, side by side with Postfix on the same disk in the same run, turn by turn; and ours again with many messages held already.
 * Needs root, for Postfix. npm run bench:hold -- --help
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Mode } from '../relay/source.ts'
import { type Contender, type ContenderName, contenderNames, startContender } from './contenders.ts'
import { type Measured, measure } from './measure.ts'
import { type Round, summarise, table } from './report.ts'

const help = `Measures how fast messages are kept durably while their destination is down, how fast they go when it is back, and what that costs.

  --messages N   in each turn (5000)
  --rounds N     of each contender and kind of connection (3)
  --length N     octets a message (4096)
  --sessions N   connections at once (20)
  --held N       messages that waypost-full holds already (1000000)
  --only A,B     some of: ${contenderNames.join(', ')}
  --folder PATH  on which disk; default: a temporary folder
  --seconds N    the most that the whole may take (1800); it ends with an error then
  --json FILE    the figures of every round as well
`

async function main(args: string[]): Promise<void> {
  const number = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    args,
    options: {
      messages: number('5000'),
      rounds: number('3'),
      length: number('4096'),
      sessions: number('20'),
      held: number('1000000'),
      seconds: number('1800'),
      only: { type: 'string', default: contenderNames.join(',') },
      folder: { type: 'string', default: tmpdir() },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(help)
  const names = values.only.split(',').map(nameOf)
  const load = {
    messages: count(values.messages),
    length: count(values.length),
    sessions: count(values.sessions),
    timeoutMs: 300_000,
  }
  const endMs = performance.now() + count(values.seconds) * 1000
  const folder = await mkdtemp(join(values.folder, 'waypost-bench-'))
  // Postfix's own users must be able to walk to its folders.
  await chmod(folder, 0o755)
  const ends: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  try {
    const ground = { folder, held: count(values.held), atEnd: (run: () => unknown) => void ends.push(run) }
    const contenders: Contender[] = []
    for (const name of names) contenders.push(await startContender(name, ground))
    const rounds: Round[] = []
    for (const mode of ['new', 'reused'] as const)
      for (let round = 0; round < count(values.rounds); round++)
        rounds.push({ mode, results: await runRound(contenders, round, mode) })
    const lines = summarise(rounds, names)
    process.stdout.write(`${table(lines)}\n`)
    if (values.json) await writeFile(values.json, JSON.stringify({ load, held: ground.held, lines }, null, 2))
  } finally {
    for (let end = ends.pop(); end; end = ends.pop()) await end()
  }

  /** Each round begins with another one, so that none always runs behind the same. */
  async function runRound(contenders: readonly Contender[], round: number, mode: Mode) {
    const results = new Map<ContenderName, Measured>()
    for (let index = 0; index < contenders.length; index++) {
      const contender = contenders[(index + round) % contenders.length]
      if (!contender) continue
      if (performance.now() > endMs) throw new Error('the time for the whole is used up; see --seconds')
      const measured = await measure(contender, { ...load, mode })
      results.set(contender.name, measured)
      const { accept, drain } = measured
      process.stderr.write(
        `${mode} ${round + 1} ${contender.name} takes ${accept.perSecond.toFixed(0)}/s, drains ${drain.perSecond.toFixed(0)}/s\n`,
      )
    }
    return results
  }
}

function nameOf(word: string): ContenderName {
  const found = contenderNames.find((one) => one === word)
  if (!found) throw new TypeError(`not one of ${contenderNames.join(', ')}: ${word}`)
  return found
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new TypeError(`not a number from 1 to 9999999: ${text}`)
  return Number(text)
}

await main(process.argv.slice(2))
