/**
 * `waypost lookup --input`: the MX records of a list of domains, many questions on their way at once, one JSON object a line as answers come.
 * Nothing is kept of what is done, so a million domains take no more memory than a thousand.
 */
import { type Clock, stayAwake } from '../../base/clock.ts'
import type { Resolution } from '../../dns/resolution.ts'
import type { Resolver } from '../../dns/resolver.ts'
import { hostFromName, nameFromHost, nameText, rootWireName } from '../../dns/wire-name.ts'
import { openLines } from '../input-lines.ts'
import { type ReadDomain, readDomain } from '../option-readers.ts'
import { barText, createProgress } from '../progress.ts'
import { runMany } from '../run-many.ts'
import { createStatusLine, type ExitCode, type Terminal, writeOut } from '../terminal.ts'

export interface ListOptions {
  /** `-` for standard input. */
  readonly input: string
  readonly concurrency: number
  readonly isQuiet: boolean
}

export interface ListDeps {
  readonly resolver: Resolver
  readonly clock: Clock
  readonly terminal: Terminal
}

/** Enough for one system call to be worth it. */
const chunkCharacters = 64 * 1024

/** @throws where the list cannot be opened, with the system's code */
export async function lookUpList({ input, concurrency, isQuiet }: ListOptions, deps: ListDeps): Promise<ExitCode> {
  const lines = await openLines(input, () => process.stdin)
  const status = createStatusLine()
  const startMs = deps.clock.monotonicMs()
  let done = 0
  let worst: ExitCode = 0
  let pending = ''
  const text = () => barText(done, lines.fraction(), deps.clock.monotonicMs() - startMs)
  const progress = createProgress(text, status, deps.terminal, deps.clock, !isQuiet)
  const awake = stayAwake()
  const take = (asked: string, read: ReadDomain, found: Resolution<'MX'> | undefined): void => {
    done++
    if (read.kind !== 'domain' || !found) {
      const why = read.kind === 'invalid' ? read.why : ''
      worst = Math.max(worst, exitCodes.invalid) as ExitCode
      pending += `${JSON.stringify({ asked, kind: 'invalid', why })}\n`
      return
    }
    const told = tell(found)
    worst = Math.max(worst, exitCodes[told.kind]) as ExitCode
    // A name that is spelt as it is parsed has nothing to escape, and so have host names: to look for it would cost as much as the rest.
    const spelt = asked === read.domain ? `"${asked}"` : JSON.stringify(asked)
    pending += `{"asked":${spelt},"domain":"${read.domain}",${told.json}}\n`
  }
  const flush = (): Promise<void> => {
    const chunk = pending
    pending = ''
    progress.clear()
    return writeOut(chunk)
  }
  try {
    await runMany(lines.batches, concurrency, async (asked) => {
      const read = readDomain(asked)
      const found = read.kind === 'domain' ? await deps.resolver.resolve(nameFromHost(read.domain), 'MX') : undefined
      take(asked, read, found)
      if (pending.length >= chunkCharacters) await flush()
    })
    await flush()
    if (done > 0) return worst
    deps.terminal.err('waypost: no domain in the input\n')
    return 2
  } finally {
    awake.cancel()
    progress.end()
    await lines.close()
  }
}

/** `no-mx`: the domain exists and has none, so its own addresses count (RFC 5321 §5.1). */
type ToldKind = 'mx' | 'null-mx' | 'no-mx' | 'no-such-domain' | 'failed'

interface Told {
  readonly kind: ToldKind
  /** The members that tell it. */
  readonly json: string
}

const exitCodes: Readonly<Record<ToldKind | 'invalid', ExitCode>> = {
  mx: 0,
  'no-mx': 0,
  'null-mx': 1,
  'no-such-domain': 1,
  failed: 2,
  invalid: 2,
}

function tell(found: Resolution<'MX'>): Told {
  if (found.kind === 'failed') {
    const { kind, reason, why } = found
    return { kind, json: JSON.stringify({ kind, reason, why }).slice(1, -1) }
  }
  const { ttlSeconds } = found
  const without = (kind: ToldKind) => ({ kind, json: `"kind":"${kind}","ttlSeconds":${ttlSeconds}` })
  if (found.kind === 'no-such-name') return without('no-such-domain')
  if (found.kind === 'no-data') return without('no-mx')
  // RFC 7505 §3: "." alone says that there is no mail.
  if (found.records.every(({ data }) => data.exchange === rootWireName)) return without('null-mx')
  const mx = found.records.map(({ data: { preference, exchange } }) => {
    const host = hostFromName(exchange)
    return {
      preference,
      json: `{"preference":${preference},"host":${host ? `"${host}"` : JSON.stringify(nameText(exchange))}}`,
    }
  })
  const sorted = mx.every(isInOrder) ? mx : mx.sort(byPreference)
  let list = ''
  for (const { json } of sorted) list += list === '' ? json : `,${json}`
  return { kind: 'mx', json: `"kind":"mx","ttlSeconds":${ttlSeconds},"mx":[${list}]` }
}

interface Preferred {
  readonly preference: number
}

// As nearly all answers are.
const isInOrder = ({ preference }: Preferred, index: number, all: readonly Preferred[]) =>
  index === 0 || preference >= (all[index - 1]?.preference ?? 0)

const byPreference = (one: Preferred, other: Preferred) => one.preference - other.preference
