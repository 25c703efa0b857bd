/**
 * As many MX records as one DNS message holds, through the whole of `waypost check`, in every format: time, memory and output are bounded. 10,000
 * do not fit: 65,535 octets hold 4,093 where all name one host, and 3,274 where each names another (RFC 1035 §4.1.4, §4.2.2); the rules are
 * asked about 10,000 in their own tests.
 */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { encodeMessage, query } from '../../src/dns/message.ts'
import { checkCommand } from '../lab/check-command.ts'
import { startCleanDomain } from '../lab/clean-domain.ts'
import { labName } from '../lab/names.ts'

const letters = 'abcdefghijklmnopqrstuvwxyz'

type Mx = readonly [number, string]

/** Each record takes a pointer, ten octets, the preference, and a pointer or a short label before one. */
const oneHost = Array.from({ length: 4_093 }, (_, index): Mx => [index, 'mx1.example.lab'])
const eachAnother = Array.from({ length: 3_274 }, (_, index): Mx => [index, `${shortLabel(index)}.example.lab`])

function shortLabel(index: number): string {
  return [676, 26, 1].map((part) => letters[Math.floor(index / part) % 26]).join('')
}

/** The message that holds them, TC set where it does not. */
const isCut = (records: readonly Mx[]): boolean => {
  const name = labName('example.lab')
  const answers = records.map(([preference, host]) => {
    const data = { type: 'MX', preference, exchange: labName(host) } as const
    return { name, class: 1, ttlSeconds: 300, data }
  })
  const bytes = encodeMessage({ ...query(name, 15, 1, plainEdns), isResponse: true, answers })
  return ((bytes[2] ?? 0) & 2) !== 0
}

const plainEdns = { udpBytes: 1232, version: 0, dnssecOk: false, options: [] }

const mostCharacters = { text: 60_000, json: 1_000_000, jsonl: 1_000_000, html: 200_000, junit: 200_000 } as const

interface Taken {
  readonly code: unknown
  readonly out: string
  readonly ms: number
  readonly peakMiB: number
}

async function taken(child: ChildProcess): Promise<Taken> {
  const startMs = performance.now()
  let out = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  let peakKiB = 0
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
  }, 50)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  return { code, out, ms: performance.now() - startMs, peakMiB: peakKiB / 1024 }
}

for (const [what, records] of [
  ['all of one host', oneHost],
  ['each of another host', eachAnother],
] as const) {
  test(`${records.length} MX records, ${what}: every format takes little time, memory and room`, async (t) => {
    assert.ok(!isCut(records) && isCut([...records, [9, 'mx1.example.lab']]), 'there is room for all and for no more')
    const lab = await startCleanDomain(t, {
      zone: (zone) => ({ ...zone, isSigned: false, records: { ...zone.records, 'example.lab': { MX: records } } }),
    })
    const check = await checkCommand(t, lab)
    for (const [format, characters] of Object.entries(mostCharacters)) {
      const { code, out, ms, peakMiB } = await taken(
        check.start(['example.lab', '--format', format, '--timeout', '60s']),
      )
      assert.equal(code, 1, format)
      assert.match(out, /mx-too-many/)
      assert.ok(out.length < characters, `${format}: ${out.length} characters`)
      // Beyond the 60 seconds that it was given, only what a busy machine needs to write it down.
      assert.ok(ms < 100_000, `${format}: ${ms} ms`)
      assert.ok(peakMiB > 0 && peakMiB < 400, `${format}: ${peakMiB} MiB`)
      if (format !== 'json') continue
      const { exchangers } = JSON.parse(out).reports[0]
      const told = exchangers.flatMap(({ preferences }: { preferences: readonly number[] }) => preferences)
      assert.equal(told.length, records.length)
    }
  })
}
