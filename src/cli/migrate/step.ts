/**
 * One step of a migration, as `waypost apply` and `waypost migrate --apply` do it: looked at, shown, asked for, done, seen at every server, remembered.
 */

import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { nameServerText } from '../../dns/servers.ts'
import { createTransport } from '../../dns/transport.ts'
import { refusedBy } from '../../publish/apply/apply.ts'
import { isRight } from '../../publish/apply/verify.ts'
import { type DeclaredExchanger, declaredExchangers } from '../../publish/declare/declaration.ts'
import { hostsOfBoth, type Migration } from '../../publish/migrate/migration.ts'
import { type KeptMigrations, saveMigration } from '../../publish/migrate/migration-file.ts'
import { missingHosts } from '../../publish/migrate/missing-hosts.ts'
import { nextStep } from '../../publish/migrate/next-step.ts'
import { askOldSide } from '../../publish/migrate/old-side.ts'
import { publishedAddresses } from '../../publish/migrate/published-addresses.ts'
import {
  type Done,
  doStep,
  type LookedAtStep,
  lookAtStep,
  type StepRequest,
} from '../../publish/migrate/step-migration.ts'
import type { RefusalRule } from '../../publish/plan/consequences.ts'
import { unitsOf } from '../../publish/plan/examine.ts'
import { changesOf } from '../../publish/plan/plan.ts'
import { witnessesOf } from '../../publish/targets/witnesses.ts'
import { fileErrorText } from '../file-error.ts'
import { noteMove } from '../note-with-gateway.ts'
import { planText } from '../publishing/plan-report.ts'
import type { Publishing } from '../publishing/publishing.ts'
import type { ExitCode, Terminal } from '../terminal.ts'
import { concernsText, migrationJson, migrationText, stageText } from './report.ts'
import { stepRequest } from './step-request.ts'

export interface StepFlags {
  readonly allow: ReadonlySet<RefusalRule>
  readonly yes?: boolean
  readonly json?: boolean
  /** Milliseconds. */
  readonly wait: number
}

export interface StepDeps {
  readonly color: boolean
  readonly ask: ((question: string) => Promise<boolean>) | undefined
}

const timeoutMs = 5_000

/** @param kept  all that there are, which the addresses of others hang on */
export async function stepMigration(
  migration: Migration,
  kept: KeptMigrations,
  publishing: Publishing,
  flags: StepFlags,
  terminal: Terminal,
  deps: StepDeps,
): Promise<ExitCode> {
  const { domain } = migration
  const request = stepRequest(migration, kept, publishing, flags.allow)
  if (request === undefined) {
    terminal.err(
      `waypost: ${domain} is being migrated, and waypost.yaml does not say any more where its records are kept\n`,
    )
    return 2
  }
  const looked = await lookAtStep(request, publishing.options, publishing.deps)
  if (looked.kind === 'at-rest') return show(migration, publishing, flags, terminal, deps)
  if (looked.kind !== 'ready') return notDone(looked, request, flags, terminal)
  try {
    return await confirmAndDo(looked, request, publishing, flags, terminal, deps)
  } finally {
    looked.examined.target.close()
  }
}

async function confirmAndDo(
  looked: Extract<LookedAtStep, { kind: 'ready' }>,
  request: StepRequest,
  publishing: Publishing,
  flags: StepFlags,
  terminal: Terminal,
  deps: StepDeps,
): Promise<ExitCode> {
  const { domain } = request.migration
  const { examined, stage, concerns } = looked
  const said = (text: string) => (flags.json ? terminal.err(text) : terminal.out(text))
  said(`Step: ${stageText(request.migration, stage)}\n`)
  said(planText([{ ...examined, concerns }], { color: deps.color && !flags.json, allowed: flags.allow }))
  if (changesOf(examined.plan).length > 0 && !flags.yes) {
    const nobody = deps.ask === undefined
    if (nobody || !(await deps.ask('Apply this?'))) {
      terminal.err(`waypost: nothing was changed${nobody ? ': there is nobody to ask, so say --yes' : ''}\n`)
      return 2
    }
  }
  const transport = createTransport(publishing.deps)
  try {
    const witnesses = witnessesOf(request.publisher, publishing.options)
    const done = await doStep(
      request,
      looked,
      { waitMs: flags.wait, timeoutMs, ...witnesses, progress: () => undefined },
      { ...publishing.deps, transport },
    )
    const { state } = publishing.loaded.settings
    // What was written, and whether or not it is seen by now: doing it again writes nothing.
    if (done.applied.cachesUntilMs !== undefined)
      await noteMove(state, domain, { kind: 'step', step: stageText(request.migration, stage) })
    if (!done.isSeen) return notSeen(done, domain, flags, terminal)
    const lost = await saveMigration(state, done.migration).then(() => undefined, fileErrorText)
    if (lost !== undefined) {
      terminal.err(
        `waypost: ${domain}: the step is done, and could not be remembered (${lost}): mend that, and do it again\n`,
      )
      return 2
    }
    const exit = show(done.migration, publishing, flags, terminal, deps)
    await tellOfOldSide(done.migration, publishing, terminal)
    return exit
  } finally {
    transport.close()
  }
}

function show(
  migration: Migration,
  publishing: Publishing,
  flags: StepFlags,
  terminal: Terminal,
  deps: StepDeps,
): ExitCode {
  const nowMs = systemClock.now()
  const text = () => migrationText(migration, declaredOf(migration.domain, publishing), nowMs, deps.color)
  terminal.out(flags.json ? `${migrationJson(migration, nowMs)}\n` : text())
  return 0
}

/** The exchangers that waypost.yaml declares of a domain. */
export function declaredOf(domain: HostName, { loaded }: Publishing): readonly DeclaredExchanger[] {
  return declaredExchangers(
    loaded.publishing.declarations.find((each) => each.domain === domain) ?? { exchangers: undefined },
  )
}

function notDone(
  looked: Exclude<LookedAtStep, { kind: 'ready' | 'at-rest' }>,
  { migration, allowed }: StepRequest,
  flags: StepFlags,
  terminal: Terminal,
): ExitCode {
  const step = stageText(migration, looked.stage)
  if (flags.json) terminal.out(`${migrationJson(migration, systemClock.now())}\n`)
  switch (looked.kind) {
    case 'refused': {
      const rules = refusedBy(looked.concerns, allowed).map(({ rule }) => rule)
      terminal.err(`${migration.domain}: not done: ${step}\n${concernsText(looked.concerns)}`)
      terminal.err(
        `waypost: nothing was changed; it is done all the same with --allow ${[...new Set(rules)].join(',')}\n`,
      )
      return 1
    }
    case 'drifted':
      terminal.err(`waypost: not done: ${step}: ${looked.why}\n  ${looked.remedy}\n`)
      return 1
    case 'failed':
      terminal.err(`waypost: not done: ${step}: ${looked.failure.why}\n`)
      if (looked.failure.remedy !== undefined) terminal.err(`  ${looked.failure.remedy}\n`)
      return 2
  }
}

function notSeen({ applied }: Done, domain: string, flags: StepFlags, terminal: Terminal): ExitCode {
  const { outcome, verified } = applied
  if (outcome.kind !== 'applied') {
    const why = 'why' in outcome ? `: ${outcome.why}` : ''
    terminal.err(`waypost: ${domain}: the step was not done (${outcome.kind})${why}\n`)
    if ('remedy' in outcome && outcome.remedy !== undefined) terminal.err(`  ${outcome.remedy}\n`)
    return 2
  }
  if (verified === undefined) {
    terminal.err(
      `waypost: ${domain}: it is written. Whether the servers answer with it was not looked at (--wait 0s), and the wait begins when they do: apply once more.\n`,
    )
    return 0
  }
  const waiting = verified.servers.filter((view) => !isRight(view)).map(({ server }) => nameServerText(server))
  const who = waiting.length > 0 ? waiting.join(', ') : printable(verified.unfound ?? 'nobody that could be asked', 200)
  terminal.err(
    `waypost: ${domain}: it is written, and after ${flags.wait / 1000} s not seen at every server (${who}). The wait begins when it is: do this again.\n`,
  )
  return 2
}

function unitOf(domain: HostName, { publishing }: Publishing['loaded'], { publishers }: Publishing['options']) {
  const declaration = publishing.declarations.find((each) => each.domain === domain)
  const [unit] = unitsOf(declaration ? [declaration] : [], publishers)
  return unit
}

/** When it begins: a name that is not there yet may come, and one that was mistyped will not. Undefined: DNS has all of them, or nobody knows. */
export async function whyMissing(
  migration: Migration,
  { loaded, options, deps }: Publishing,
): Promise<string | undefined> {
  const unit = unitOf(migration.domain, loaded, options)
  const missing = unit ? await missingHosts(migration, unit, options, deps) : []
  if (missing.length === 0) return undefined
  const hosts = missing.map(({ host, why }) => `${host} ${why} in DNS`)
  return `${hosts.join(', ')}, so that ${hosts.length === 1 ? 'it' : 'they'} can take no mail`
}

/** When it is done: the old provider may not know it. */
export async function tellOfOldSide(
  migration: Migration,
  { loaded, options, deps }: Publishing,
  terminal: Terminal,
): Promise<void> {
  const { domain } = migration
  if (nextStep(migration, systemClock.now()).kind !== 'done') return
  const unit = unitOf(domain, loaded, options)
  const published = unit && (await publishedAddresses(unit, hostsOfBoth(migration), options, deps))
  const old = await askOldSide(migration, { ...options, ...(published && { published }) }, deps)
  if (old === undefined) return
  terminal.err(
    `waypost: ${old.hosts.join(', ')} still ${old.hosts.length === 1 ? 'takes' : 'take'} mail for ${domain}: what others there send to the domain does not come to the new side\n  ${old.remedy}\n`,
  )
}
