/**
 * MX look-ups a second, side by side: `waypost lookup --input`, Node's own resolver, `dig -f`, and massdns where MASSDNS names its program, each
 * asking one local NSD for the same domains, by turns in one run. Both programs in Node run as JavaScript, Waypost as its package has it, so
 * that no clock holds the stripping of types. Wall clock and processor time of each client include its start, and what Node spends on compiling
 * what has become hot, half a second: so the list is long. Then the memory and the speed of shorter lists and longer ones. Needs Debian's nsd
 * and dnsutils. npm run bench:check -- --help
 */
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort } from '../../test/lab/loopback.ts'
import { startContender, writeZones } from '../authority/contenders.ts'
import { median, textTable } from '../figures.ts'
import { measureBulk } from './bulk.ts'
import { measureCommand } from './measure.ts'

const help = `Measures MX look-ups a second against a local NSD.

  --domains N       zones that NSD serves (100000)
  --lookups N       look-ups of a measurement; dig asks a tenth (500000)
  --rounds N        of each client (3)
  --concurrency N   questions at once (500)
  --only A,B        some of: waypost, node, node-50 (50 questions at once), dig, massdns
  --check N         instead of look-ups: domains of waypost check --no-smtp, and a tenth and a hundredth of them (0)
  --memory N        look-ups of the list for memory, beside a thousandth, a hundredth and a tenth; 0: not (1000000)
`

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '100000' },
    lookups: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '3' },
    concurrency: { type: 'string', default: '500' },
    only: { type: 'string', default: 'waypost,node,node-50,dig,massdns' },
    check: { type: 'string', default: '0' },
    memory: { type: 'string', default: '1000000' },
    help: { type: 'boolean', default: false },
  },
})

interface Measured {
  readonly perSecond: number
  readonly processorUs: number
  readonly maxMiB: number
}

interface Client {
  readonly name: string
  readonly lookups: number
  /** A line of the shell. */
  readonly command: string
  /** How many of its answers hold an exchanger. */
  readonly counts: RegExp
}

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const [domains = 0, lookups = 0, rounds = 0, atOnce = 0] = [
    values.domains,
    values.lookups,
    values.rounds,
    values.concurrency,
  ].map(readCount)
  const folder = await mkdtemp(join(tmpdir(), 'waypost-bench-'))
  const address = '127.0.0.1'
  if (values.check !== '0') {
    try {
      return await measureBulk(folder, await freePort(address), readCount(values.check))
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const place = { folder, address, port: await freePort(address), domains }
  const programs = await buildPrograms(folder)
  const origins = await writeZones(place)
  process.stderr.write('starting nsd\n')
  const nsd = await startContender('nsd', place, origins)
  try {
    const names = origins.slice(1).map((origin) => origin.replace(/\.$/, ''))
    const list = (count: number) => writeList(join(folder, `names-${count}`), names, count)
    const clients = await clientsOf(place, programs, lookups, atOnce, list)
    const measured = new Map<string, Measured[]>()
    for (let round = 0; round < rounds; round++) {
      for (const client of clients) {
        const one = await measure(client, folder)
        process.stderr.write(`round ${round + 1} ${client.name}: ${one.perSecond.toFixed(0)}/s\n`)
        measured.set(client.name, [...(measured.get(client.name) ?? []), one])
      }
    }
    process.stdout.write(table(measured))
    const most = values.memory === '0' ? 0 : readCount(values.memory)
    for (const count of most > 0 ? [1000, 100, 10, 1].map((part) => Math.max(1, Math.round(most / part))) : []) {
      const [waypost] = await clientsOf(place, programs, count, atOnce, list)
      if (waypost?.name !== 'waypost') break
      const { maxMiB, perSecond, processorUs } = await measure(waypost, folder)
      const speed = `${perSecond.toFixed(0)}/s, ${processorUs.toFixed(1)} CPU µs each`
      process.stdout.write(`waypost, ${count} domains: at most ${maxMiB.toFixed(0)} MiB, ${speed}\n`)
    }
  } finally {
    await nsd.stop()
    await rm(folder, { recursive: true })
  }
}

interface Programs {
  readonly waypost: string
  readonly yardstick: string
}

async function buildPrograms(folder: string): Promise<Programs> {
  const built = spawnSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.ts', import.meta.url))])
  if (built.status !== 0) throw new Error(`the package cannot be built: ${built.stderr}`)
  const yardstick = join(folder, 'node-resolver.mjs')
  const source = await readFile(new URL('./node-resolver.ts', import.meta.url), 'utf8')
  await writeFile(yardstick, stripTypeScriptTypes(source))
  return { waypost: fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)), yardstick }
}

async function clientsOf(
  place: { readonly address: string; readonly port: number },
  { waypost, yardstick }: Programs,
  lookups: number,
  atOnce: number,
  list: (count: number) => Promise<string>,
): Promise<Client[]> {
  const server = `${place.address}:${place.port}`
  const digLookups = Math.max(1, Math.round(lookups / 10))
  const file = await list(lookups)
  const massdns = process.env.MASSDNS
  const all: Client[] = [
    {
      name: 'waypost',
      lookups,
      command: `${process.execPath} ${waypost} lookup -q --input ${file} --resolver ${server} --concurrency ${atOnce}`,
      counts: /"kind":"mx"/,
    },
    {
      name: 'node',
      lookups,
      command: `${process.execPath} ${yardstick} ${server} ${file} ${atOnce}`,
      counts: /"mx":\[\{/,
    },
    // Where it is at its best: with hundreds at once it keeps rereading its list of them.
    {
      name: 'node-50',
      lookups,
      command: `${process.execPath} ${yardstick} ${server} ${file} 50`,
      counts: /"mx":\[\{/,
    },
    {
      name: 'dig',
      lookups: digLookups,
      command: `dig @${place.address} -p ${place.port} +noall +answer -f ${await list(digLookups)} -t MX`,
      counts: /MX\s+10 /,
    },
    ...(massdns
      ? [
          {
            name: 'massdns',
            lookups,
            command: `echo ${server} > ${file}.resolvers; ${massdns} -q -t MX -o S -s ${atOnce} -r ${file}.resolvers ${file}`,
            counts: /MX 10 /,
          },
        ]
      : []),
  ]
  const wanted = values.only.split(',')
  return all.filter(({ name }) => wanted.includes(name))
}

async function writeList(path: string, names: readonly string[], count: number): Promise<string> {
  const stream = createWriteStream(path)
  // A step that is coprime to most numbers, so that neighbours in the list are none in the zone.
  for (let index = 0; index < count; index++) {
    const line = `${names[(index * 7919) % names.length]}\n`
    if (!stream.write(line)) await new Promise<void>((resolve) => stream.once('drain', resolve))
  }
  await new Promise<void>((resolve) => stream.end(resolve))
  return path
}

async function measure(client: Client, folder: string): Promise<Measured> {
  const out = join(folder, 'answers')
  const used = await measureCommand(client.command, out)
  const answers = await countLines(out, client.counts)
  // An answer that is none is an error, never speed.
  if (answers !== client.lookups) throw new Error(`${client.name} brought ${answers} answers of ${client.lookups}`)
  return {
    perSecond: client.lookups / used.wallS,
    processorUs: (used.processorS * 1e6) / client.lookups,
    maxMiB: used.maxMiB,
  }
}

async function countLines(path: string, what: RegExp): Promise<number> {
  let count = 0
  for await (const line of createInterface({ input: createReadStream(path, 'latin1') })) if (what.test(line)) count++
  return count
}

function table(measured: ReadonlyMap<string, readonly Measured[]>): string {
  const middle = (rounds: readonly Measured[], pick: (one: Measured) => number) =>
    median(rounds.map(pick)) ?? Number.NaN
  // Node's best, whatever it took.
  const nodes = ['node', 'node-50'].map((name) => middle(measured.get(name) ?? [], ({ perSecond }) => perSecond))
  const yardstick = Math.max(...nodes.filter((perSecond) => perSecond > 0))
  const rows = Array.from(measured, ([name, rounds]) => {
    const perSecond = middle(rounds, (one) => one.perSecond)
    const processorUs = middle(rounds, (one) => one.processorUs)
    return [name, perSecond.toFixed(0), (perSecond / yardstick).toFixed(2), processorUs.toFixed(1)]
  })
  return `${textTable(['client', 'look-ups/s', "of Node's best", 'CPU µs'], rows, 1)}\n`
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new TypeError(`not a number from 1 to 99999999: ${text}`)
  return Number(text)
}
