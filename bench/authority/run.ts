/**
 * Authoritative answers, side by side: `dnsperf` asks each server for the same names, all in one run and by turns, so that what else the
 * machine does hurts them alike. The processor time of an answer is the figure to trust where client and server share the processors.
 * Needs Debian's dnsperf, nsd, knot, bind9, pdns-server and pdns-backend-bind. npm run bench:authority -- --help
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '../../test/interop/harness/program.ts'
import { freePort } from '../../test/lab/loopback.ts'
import { processorMs } from '../relay/daemon.ts'
import { type Contender, type ContenderName, contenderNames, startContender, writeZones } from './contenders.ts'
import { questions } from './load.ts'
import { type Measured, table } from './report.ts'

const help = `Measures how many questions a second are answered, how soon, and what that costs.

  --domains N    zones, beside that of the exchangers (100000)
  --seconds N    of each measurement (5)
  --rounds N     of each server (3)
  --only A,B     some of: ${contenderNames.join(', ')}
`

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: contenderNames.join(',') },
    help: { type: 'boolean', default: false },
  },
})

/** Outstanding at once, over so many sockets. */
const outstanding = 100
const clients = 10

if (values.help) process.stdout.write(help)
else await main()

async function main(): Promise<void> {
  const [domains = 0, seconds = 0, rounds = 0] = [values.domains, values.seconds, values.rounds].map(readCount)
  const names = values.only.split(',').map((name) => {
    const known = contenderNames.find((candidate) => candidate === name)
    if (!known) throw new TypeError(`not one of ${contenderNames.join(', ')}: ${name}`)
    return known
  })
  const folder = await mkdtemp(join(tmpdir(), 'waypost-bench-'))
  const started: Contender[] = []
  const measured = new Map<ContenderName, Measured[]>()
  try {
    const origins = await writeZones({ folder, domains })
    const file = join(folder, 'questions')
    await writeFile(file, questions(domains, 200_000))
    // BIND listens on addresses of interfaces alone.
    const address = '127.0.0.1'
    for (const name of names) {
      process.stderr.write(`starting ${name}\n`)
      started.push(await startContender(name, { folder, address, port: await freePort(address), domains }, origins))
    }
    // Once without counting, so that caches and compilers have seen it all.
    for (let round = -1; round < rounds; round++) {
      for (const contender of started) {
        const one = await measure(contender, address, file, round < 0 ? Math.min(3, seconds) : seconds)
        process.stderr.write(`round ${round + 1} ${contender.name}: ${one.perSecond.toFixed(0)}/s\n`)
        if (round >= 0) measured.set(contender.name, [...(measured.get(contender.name) ?? []), one])
      }
    }
    process.stdout.write(`${table(measured)}\n`)
  } finally {
    for (const contender of started) await contender.stop()
    await rm(folder, { recursive: true })
  }
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new TypeError(`not a number from 1 to 9999999: ${text}`)
  return Number(text)
}

async function measure(contender: Contender, address: string, file: string, seconds: number): Promise<Measured> {
  const before = processorMs(contender.pid)
  const { code, stdout, stderr } = await run(
    'dnsperf',
    [
      ...['-s', address, '-p', String(contender.port), '-d', file, '-l', String(seconds)],
      ...['-q', String(outstanding), '-c', String(clients)],
    ],
    { timeoutMs: (seconds + 30) * 1000 },
  )
  if (code !== 0) throw new Error(`dnsperf ended with ${code}: ${stderr}`)
  const figure = (expression: RegExp) => Number(expression.exec(stdout)?.[1])
  const answered = figure(/Queries completed:\s+(\d+)/)
  // An answer that is none is an error, never speed.
  const codes = /Response codes:\s+(.*)/.exec(stdout)?.[1] ?? ''
  if (!/^NOERROR \d+ \([\d.]+%\), NXDOMAIN \d+ \([\d.]+%\)$/.test(codes))
    throw new Error(`${contender.name} answered with ${codes || 'nothing'}`)
  return {
    perSecond: figure(/Queries per second:\s+([\d.]+)/),
    lostPercent: figure(/Queries lost:\s+\d+ \(([\d.]+)%\)/),
    latencyMs: figure(/Average Latency \(s\):\s+([\d.]+)/) * 1000,
    latencyDeviationMs: figure(/Latency StdDev \(s\):\s+([\d.]+)/) * 1000,
    processorUs: ((processorMs(contender.pid) - before) * 1000) / answered,
  }
}
