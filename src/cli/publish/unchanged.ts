/**
 * What `waypost plan` and `waypost apply` say of zones in which nothing is to be changed. A plan looks at the servers that waypost.yaml names and at
 * no others, because it compares what is kept; after `apply`, all is seen to be served.
 */
import { systemClock } from '../../base/clock.ts'
import { mapAtOnce } from '../../base/map-at-once.ts'
import { printable } from '../../base/printable.ts'
import { createTransport } from '../../dns/transport.ts'
import { isAsDeclared, lookAtUnchanged, namesServers, readAgain } from '../../publish/apply/unchanged.ts'
import { isRight, type ServerView, type Verified } from '../../publish/apply/verify.ts'
import { type Examined, type ExaminedZone, unitText } from '../../publish/plan/examine.ts'
import { witnessesOf } from '../../publish/targets/witnesses.ts'
import { barText, createProgress } from '../progress.ts'
import type { Publishing } from '../publishing/publishing.ts'
import { createStatusLine, type ExitCode, type Terminal } from '../terminal.ts'
import { unaskedText, verifiedText, viewText } from './apply-report.ts'

/** Of one question. */
const timeoutMs = 5_000

/** Zones that are looked at at once. */
const atOnce = 50

interface Seen {
  readonly zone: ExaminedZone
  readonly verified: Verified
}

/** The same zones, with a note where a server does not answer with what is kept. */
export async function withNotes(zones: readonly Examined[], publishing: Publishing): Promise<Examined[]> {
  const named = zones.filter(isKept).filter((zone) => namesServers(zone, publishing.options))
  const seen = await lookAtAll(named, publishing, () => undefined)
  const notes = new Map(seen.map(({ zone, verified }): [Examined, string[]] => [zone, wrongOf(verified)]))
  return zones.map((zone) => {
    const wrong = notes.get(zone) ?? []
    if (zone.kind !== 'examined' || wrong.length === 0) return zone
    const note = `this is kept, and not what is served: ${wrong.join('; ')}. See "waypost apply"`
    return { ...zone, plan: { ...zone.plan, notes: [...zone.plan.notes, note] } }
  })
}

export interface UnchangedFlags {
  readonly yes?: boolean
  /** Milliseconds; 0: nobody wants to know. */
  readonly wait: number
}

/** Looks, and where a server does not answer with what is kept, has it read that and looks again. */
export async function seeUnchanged(
  zones: readonly Examined[],
  publishing: Publishing,
  flags: UnchangedFlags,
  terminal: Terminal,
  ask: ((question: string) => Promise<boolean>) | undefined,
): Promise<ExitCode> {
  if (flags.wait === 0) return 0
  const seen = await lookWithProgress(zones.filter(isKept), publishing, terminal)
  const unasked = seen.filter(({ verified }) => verified.servers.length === 0)
  const behind = seen.filter(({ verified }) => wrongOf(verified).length > 0)
  if (seen.length > 0 && unasked.length + behind.length === 0)
    terminal.out(`${seen.length === 1 ? 'Its servers answer with it' : 'Their servers answer with all of it'}.\n`)
  const rightInPart = seen.filter(({ verified }) => verified.servers.length > 0 && verified.unfound !== undefined)
  for (const { why, names } of byReason(rightInPart)) terminal.out(`${names}: ${unaskedText(why)}.\n`)
  for (const { why, names } of byReason(unasked))
    terminal.err(
      `waypost: ${names}: this is kept, and nobody could be asked whether it is served: ${printable(why, 400)}. Name servers by "servers:" under the publisher.\n`,
    )
  for (const { zone, verified } of behind)
    terminal.err(
      `waypost: ${unitText(zone.unit)}: this is kept, and not what is served: ${wrongOf(verified).join('; ')}\n`,
    )
  // Who is silent is not heard sooner by waiting, nor by a command.
  const late = behind.filter(({ verified }) => verified.servers.some((view) => !isRight(view) && !isSilent(view)))
  const isCommand = late.some(({ zone }) => zone.target.reload !== undefined)
  if (isCommand && !flags.yes && !(await ask?.('Have that read again?'))) {
    terminal.err(`waypost: it was not read again${ask ? '' : ': there is nobody to ask, so say --yes'}\n`)
    return 2
  }
  const codes = await mapAtOnce(late, atOnce, ({ zone }) => mend(zone, publishing, flags, terminal))
  return unasked.length > 0 || late.length < behind.length ? 2 : (codes.find((code) => code !== 0) ?? 0)
}

const isSilent = ({ state }: ServerView) => state.kind === 'silent'

async function mend(
  zone: ExaminedZone,
  publishing: Publishing,
  flags: UnchangedFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { reload } = zone.target
  const transport = createTransport(publishing.deps)
  try {
    const witnesses = witnessesOf(zone.unit.publisher, publishing.options)
    const options = { ...witnesses, waitMs: flags.wait, timeoutMs, progress: () => undefined }
    const { outcome, verified: after } = await readAgain(zone, options, { ...publishing.deps, transport })
    if (outcome.kind !== 'applied' || after === undefined) {
      const { why = outcome.kind, remedy } = outcome as { readonly why?: string; readonly remedy?: string }
      terminal.err(`waypost: ${why}\n${remedy === undefined ? '' : `  ${remedy}\n`}`)
      return 2
    }
    const said = verifiedText(after, flags.wait)
    terminal.out(`${unitText(zone.unit)}: ${reload ? 'it was read again' : 'nothing was changed'}.\n  ${said.text}\n`)
    return said.exit
  } finally {
    transport.close()
  }
}

/** In what takes long, how far it is. */
async function lookWithProgress(
  zones: readonly ExaminedZone[],
  publishing: Publishing,
  terminal: Terminal,
): Promise<Seen[]> {
  const startedMs = systemClock.monotonicMs()
  let done = 0
  const text = () => barText(done, done / zones.length, systemClock.monotonicMs() - startedMs)
  const progress = createProgress(text, createStatusLine(), terminal, systemClock, true)
  try {
    return await lookAtAll(zones, publishing, () => done++)
  } finally {
    progress.end()
  }
}

/** @param told  after each */
async function lookAtAll(
  zones: readonly ExaminedZone[],
  { options, deps }: Publishing,
  onDone: () => void,
): Promise<Seen[]> {
  const transport = createTransport(deps)
  try {
    return await mapAtOnce(zones, atOnce, async (zone) => {
      const verified = await lookAtUnchanged(zone, options, timeoutMs, { ...deps, transport })
      onDone()
      return { zone, verified }
    })
  } finally {
    transport.close()
  }
}

const isKept = (zone: Examined): zone is ExaminedZone => zone.kind === 'examined' && isAsDeclared(zone)

/** Zones that are named where many have one reason. */
const mostNamed = 5

/** Why servers were not asked, each once, with the zones of which it is so. */
function byReason(seen: readonly Seen[]): { readonly why: string; readonly names: string }[] {
  const reasons = Map.groupBy(seen, ({ verified }) => verified.unfound ?? 'none is named')
  return [...reasons].map(([why, those]) => {
    const named = those.slice(0, mostNamed).map(({ zone }) => unitText(zone.unit))
    const more = those.length - named.length
    return { why, names: `${named.join(', ')}${more > 0 ? `, and ${more} more` : ''}` }
  })
}

const wrongOf = ({ servers }: Verified) => servers.filter((view) => !isRight(view)).map(viewText)
