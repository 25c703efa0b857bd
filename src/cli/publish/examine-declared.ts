/**
 * The plans of what waypost.yaml declares, of all domains or of those that were named, without what migrations have in their hands: what `plan`
 * shows and `apply` carries out.
 */
import type { Loaded } from '../../config/load.ts'
import { noMailAndMail } from '../../config/remarks.ts'
import type { HostName } from '../../dns/name.ts'
import type { Declaration } from '../../publish/declare/declaration.ts'
import type { HeldBack } from '../../publish/migrate/hold-back.ts'
import { chosen, type Examined, examineUnits, unitsOf } from '../../publish/plan/examine.ts'
import type { ApiWait } from '../../publish/targets/api/api-client.ts'
import { barText, createProgress } from '../progress.ts'
import type { PublishFlags } from '../publishing/flags.ts'
import { type Publishing, waitText } from '../publishing/publishing.ts'
import { whyUndeclared } from '../publishing/why-undeclared.ts'
import { createStatusLine, type Terminal } from '../terminal.ts'
import type { MigrationsNow } from './migrations-now.ts'

export interface ExaminedAll {
  readonly zones: readonly Examined[]
  /** Whether all were looked at; what stands in the way of a domain was told, and the others go on. */
  readonly isWhole: boolean
}

/** The plans of the domains that were named, or of all; undefined where one was named that declares nothing, which was told. */
export async function examineAll(
  { loaded, deps, options }: Publishing,
  names: readonly HostName[],
  { heldBack }: MigrationsNow,
  { concurrency: atOnce }: Pick<PublishFlags, 'concurrency'>,
  terminal: Terminal,
): Promise<ExaminedAll | undefined> {
  tellOfMigrations(heldBack, loaded, names, terminal)
  const { declarations, unknown } = chosen(heldBack.declarations, names)
  for (const name of unknown) terminal.err(`waypost: ${whyUndeclared(name, loaded)}\n`)
  if (unknown.length > 0) return undefined
  for (const { domain, exchangers } of declarations)
    if (exchangers === 'none' && loaded.names.has(domain)) terminal.err(`waypost: ${noMailAndMail(domain)}\n`)
  const units = unitsOf(declarations.filter(saysSomething), options.publishers)
  const startedMs = deps.clock.monotonicMs()
  let done = 0
  const text = () => barText(done, done / units.length, deps.clock.monotonicMs() - startedMs)
  const progress = createProgress(text, createStatusLine(), terminal, deps.clock, true)
  try {
    const onWait = (wait: ApiWait) => {
      progress.clear()
      terminal.err(waitText(wait))
    }
    const onDone = (now: number) => {
      done = now
    }
    const zones = await examineUnits(units, options, { ...deps, onWait }, { atOnce, onDone })
    return {
      zones,
      isWhole: !heldBack.unread.some(({ domain }) => declarations.some((each) => each.domain === domain)),
    }
  } finally {
    progress.end()
  }
}

/** A migration may have all of it in its hands. */
const saysSomething = ({ exchangers, texts, absent }: Declaration) =>
  exchangers !== undefined || texts.length > 0 || absent.length > 0

/** Whether no domain of the configuration declares a record. */
export const isUndeclared = ({ publishing }: Loaded): boolean => !publishing.declarations.some(saysSomething)

/** Why what is declared of a domain is not planned, or not all of it. @param names  whose migrations are told; none: those of all */
function tellOfMigrations(
  { open, unread, outdated }: HeldBack,
  { publishing }: Loaded,
  names: readonly HostName[],
  terminal: Terminal,
): void {
  const declared = new Set(publishing.declarations.map(({ domain }) => domain))
  const isMeant = ({ domain }: { readonly domain: HostName }) =>
    names.length === 0 ? declared.has(domain) : names.includes(domain)
  for (const { why } of unread.filter(isMeant)) terminal.err(`waypost: ${why}\n`)
  for (const { domain } of open.filter(isMeant))
    terminal.err(`waypost: ${domain} is being migrated; see "waypost migrate ${domain}"\n`)
  for (const { domain, what } of outdated.filter(isMeant))
    terminal.err(
      `waypost: ${domain} was migrated, and waypost.yaml still declares its ${what} of before: that is left alone until it does not\n`,
    )
}
