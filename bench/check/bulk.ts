/**
 * `waypost check --no-smtp` over a long list, every rule of DNS: domains a second, processor time and memory, for a hundredth and a tenth of the
 * list and for all of it; and that a run which was killed goes on where it stopped. One NSD serves root and domains, at many addresses, because
 * each name server is asked ten questions a second at most.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { run } from '../../test/interop/harness/program.ts'
import { until } from '../../test/lab/until.ts'
import { nsdSettings } from '../nsd-settings.ts'
import { startDaemon } from '../relay/daemon.ts'
import { measureCommand } from './measure.ts'

interface Place {
  readonly folder: string
  readonly address: string
  readonly port: number
}

/** As many as a large top-level domain has. */
const roots = Array.from({ length: 13 }, (_, index) => `127.19.0.${index + 1}`)
/** Domains with the same two name servers are one in so many. */
const groups = 256
const serversOf = (group: number) => [`127.20.${group}.1`, `127.20.${group}.2`] as const
const domainName = (index: number) => `domain${index}.test`
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export async function measureBulk(home: string, port: number, domains: number): Promise<void> {
  const place: Place = { folder: join(home, 'bulk'), address: '127.0.0.1', port }
  await mkdir(place.folder)
  process.stderr.write(`starting nsd with ${domains} domains\n`)
  const nsd = await startNsd(place, domains)
  try {
    for (const count of [...new Set([100, 10, 1].map((part) => Math.max(1, Math.round(domains / part))))]) {
      const command = await commandFor(place, count)
      const output = join(place.folder, `reports-${count}`)
      const used = await measureCommand(`${process.execPath} ${main} ${command} --output ${output}`, '/dev/null')
      await assertWhole(output, count)
      const each = (used.processorS * 1000) / count
      process.stdout.write(
        `waypost check --no-smtp, ${count} domains: ${(count / used.wallS).toFixed(0)}/s, ${each.toFixed(2)} CPU ms each, at most ${used.maxMiB.toFixed(0)} MiB\n`,
      )
    }
    process.stdout.write(await resumed(place, Math.max(2, Math.round(domains / 10))))
  } finally {
    await nsd.stop()
  }
}

/** Killed in the middle, and started again. */
async function resumed(place: Place, count: number): Promise<string> {
  const output = join(place.folder, 'resumed')
  const args = [main, ...(await commandFor(place, count)).split(' '), '--output', output, '--resume']
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  const whole = (await stat(join(place.folder, `reports-${count}`))).size
  const size = async () => (await stat(output).catch(() => undefined))?.size ?? 0
  await until(async () => child.exitCode !== null || (await size()) > whole / 2, 3_600_000, 'half of the list is done')
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  const before = (await readFile(output, 'latin1')).split('\n').length - 1
  await measureCommand(`${process.execPath} ${args.join(' ')}`, '/dev/null')
  await assertWhole(output, count)
  return `killed after ${before} of ${count} domains and resumed: each once\n`
}

async function commandFor({ folder, address, port }: Place, count: number): Promise<string> {
  const list = join(folder, `list-${count}`)
  const hints = join(folder, 'root.hints')
  await writeFile(hints, roots.map((at) => `. 3600 A ${at}\n`).join(''))
  await writeFile(list, Array.from({ length: count }, (_, index) => `${domainName(index)}\n`).join(''))
  return `check --no-smtp --private -q --format jsonl --fail-on error --input ${list} --resolver ${address}:${port} --root-hints ${hints} --dns-port ${port}`
}

/** An examination that was cut short, or that found nothing to look at, is an error and never speed. */
async function assertWhole(output: string, count: number): Promise<void> {
  const seen = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(output) })) {
    const { domain, kind, zones, spent, notChecked } = JSON.parse(line)
    if (kind !== 'examined' || zones.length !== 2 || spent.queries < 20) throw new Error(`not examined: ${line}`)
    const cut = notChecked.find(({ reason }: { reason: string }) => ['rate-limited', 'budget-spent'].includes(reason))
    if (cut) throw new Error(`${domain} was cut short: ${cut.why}`)
    seen.add(domain)
  }
  if (seen.size !== count) throw new Error(`${seen.size} domains of ${count} were examined`)
}

async function startNsd({ folder, address, port }: Place, domains: number) {
  const soa = '@ 3600 SOA ns1.bench.test. hostmaster.bench.test. 1 14400 3600 604800 300'
  const hosts = Array.from({ length: groups }, (_, group) =>
    serversOf(group).map((at, index) => `ns${index + 1}.g${group} 3600 A ${at}`),
  ).flat()
  const exchangers = 'mx1 3600 A 203.0.113.1\nmx2 3600 A 198.51.100.1'
  const own = '@ 3600 NS ns1.g0\n@ 3600 NS ns2.g0'
  await writeFile(join(folder, 'bench.zone'), `${[soa, own, exchangers, ...hosts].join('\n')}\n`)
  await writeFile(
    join(folder, 'root.zone'),
    `${soa}\n@ 3600 NS root.\n${roots.map((at) => `root. 3600 A ${at}\n`).join('')}`,
  )
  for (let group = 0; group < groups; group++) {
    const lines = [
      soa,
      `@ 3600 NS ns1.g${group}.bench.test.\n@ 3600 NS ns2.g${group}.bench.test.`,
      '@ 3600 MX 10 mx1.bench.test.\n@ 3600 MX 20 mx2.bench.test.',
      '@ 3600 TXT "v=spf1 mx -all"\n_dmarc 3600 TXT "v=DMARC1; p=reject"',
    ]
    await writeFile(join(folder, `g${group}.zone`), `${lines.join('\n')}\n`)
  }
  const addresses = [address, ...roots, ...Array.from({ length: groups }, (_, group) => serversOf(group)).flat()]
  const zones: readonly (readonly [string, string])[] = [
    ['.', 'root.zone'],
    ['bench.test', 'bench.zone'],
    ...Array.from({ length: domains }, (_, index) => [domainName(index), `g${index % groups}.zone`] as const),
  ]
  const places = addresses.map((at) => `${at}@${port}`)
  await writeFile(join(folder, 'nsd.conf'), nsdSettings(folder, places, folder, zones))
  const output = join(folder, 'output')
  const daemon = startDaemon('nsd', ['-d', '-c', join(folder, 'nsd.conf')], output)
  const dig = [`@${address}`, '-p', String(port), '+short', '+tries=1', '+time=1', domainName(domains - 1), 'MX']
  await until(
    async () => {
      if (daemon.hasEnded()) throw new Error(`nsd ended: ${await readFile(output, 'utf8')}`)
      return (await run('/usr/bin/dig', dig)).stdout.includes('mx1.bench.test')
    },
    300_000,
    'nsd answers',
  )
  return daemon
}
