/** What `waypost plan` and `waypost apply` say of zones in which nothing is to be changed, and whose servers waypost.yaml names. */
import { mapAtOnce } from '../../base/map-at-once.ts'
import { createTransport } from '../../dns/transport.ts'
import { isToBeSeen, lookAtUnchanged, readAgain } from '../../publish/apply/unchanged.ts'
import { isRight, type ServerView, type Verified } from '../../publish/apply/verify.ts'
import { type Examined, type ExaminedZone, unitText } from '../../publish/plan/examine.ts'
import { witnessesOf } from '../../publish/targets/witnesses.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { verifiedText, viewText } from './apply-report.ts'
import type { Publishing } from './publishing.ts'

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
  const seen = await lookAtAll(zones, publishing)
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
  const seen = await lookAtAll(zones, publishing)
  const behind = seen.filter(({ verified }) => wrongOf(verified).length > 0)
  if (seen.length > 0 && behind.length === 0)
    terminal.out(`The servers that waypost.yaml names answer with ${seen.length === 1 ? 'it' : 'all of it'}.\n`)
  for (const { zone, verified } of behind)
    terminal.err(
      `waypost: ${unitText(zone.unit)}: this is kept, and not what is served: ${wrongOf(verified).join('; ')}\n`,
    )
  // Who is silent is not heard sooner by waiting, nor by a command.
  const late = behind.filter(({ verified }) => verified.servers.some((view) => !isRight(view) && !isSilent(view)))
  if (late.length > 0 && !flags.yes && !(await ask?.('Have that read again?'))) {
    terminal.err(`waypost: it was not read again${ask ? '' : ': there is nobody to ask, so say --yes'}\n`)
    return 2
  }
  const codes = await mapAtOnce(late, atOnce, ({ zone }) => mend(zone, publishing, flags, terminal))
  return late.length < behind.length ? 2 : (codes.find((code) => code !== 0) ?? 0)
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

async function lookAtAll(zones: readonly Examined[], { options, deps }: Publishing): Promise<Seen[]> {
  const those = zones.filter((zone) => zone.kind === 'examined').filter((zone) => isToBeSeen(zone, options))
  const transport = createTransport(deps)
  try {
    return await mapAtOnce(those, atOnce, async (zone) => ({
      zone,
      verified: await lookAtUnchanged(zone, options, timeoutMs, { ...deps, transport }),
    }))
  } finally {
    transport.close()
  }
}

const wrongOf = ({ servers }: Verified) => servers.filter((view) => !isRight(view)).map(viewText)
