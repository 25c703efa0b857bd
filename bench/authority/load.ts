/** What every server of the benchmark serves and is asked: many mail domains alike, with exchangers in one zone of their own. */
import { randomInt } from 'node:crypto'

const exchangers = ['mx1', 'mx2'] as const

/** The lines of each zone, by its origin with the final dot. */
export function* zones(domains: number): Iterable<{ readonly origin: string; readonly lines: string }> {
  const head = `@ SOA ns1.bench.test. hostmaster.bench.test. 1 14400 3600 604800 300
@ NS ns1.bench.test.
@ NS ns2.bench.test.`
  yield {
    origin: 'bench.test.',
    lines: `${head}
ns1 A 192.0.2.53
ns2 A 198.51.100.53
${exchangers.map((host, index) => `${host} A 203.0.113.${index + 1}\n${host} AAAA 2001:db8::${index + 1}`).join('\n')}`,
  }
  for (let index = 0; index < domains; index++) {
    yield {
      origin: `${domainName(index)}.`,
      lines: `${head}
${exchangers.map((host, place) => `@ MX ${(place + 1) * 10} ${host}.bench.test.`).join('\n')}
@ TXT "v=spf1 mx -all"
_dmarc TXT "v=DMARC1; p=reject"`,
    }
  }
}

const domainName = (index: number) => `domain${index}.example${index % 97}.test`

/** Lines for dnsperf: mostly the exchangers, some of what goes with them, and some names that do not exist. */
export function questions(domains: number, count: number): string {
  const lines: string[] = []
  for (let index = 0; index < count; index++) {
    const name = domainName(randomInt(domains))
    const kind = index % 10
    if (kind < 6) lines.push(`${name} MX`)
    else if (kind === 6) lines.push(`${name} TXT`)
    else if (kind === 7) lines.push(`_dmarc.${name} TXT`)
    else if (kind === 8) lines.push(`mx${(index % 2) + 1}.bench.test A`)
    else lines.push(`nothing.${name} A`)
  }
  return `${lines.join('\n')}\n`
}
