/** What `waypost migrate` shows of a migration: its steps, where it stands and when the next one is safe; for people, and as one object. Pure. */

import { styleText } from 'node:util'
import { printable } from '../../base/printable.ts'
import { comingTimeText, pastTimeText, spanText } from '../../base/time-text.ts'
import { type Migration, type Stage, stagesOf } from '../../publish/migrate/migration.ts'
import { type NextStep, nextStep, oldNeededUntilMs } from '../../publish/migrate/next-step.ts'
import { setAfter } from '../../publish/migrate/stage-sets.ts'
import type { Concern } from '../../publish/plan/consequences.ts'
import { type MxSet, sameExchangers } from '../../publish/sets/mx-set.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'

/** @param declared  the exchangers that waypost.yaml declares of the domain */
export function migrationText(
  migration: Migration,
  declared: readonly Exchanger[],
  nowMs: number,
  color: boolean,
): string {
  const paint = (format: 'bold' | 'dim' | 'green' | 'yellow', text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text
  const { domain, to, isBack } = migration
  const next = nextStep(migration, nowMs)
  const lines = [`${paint('bold', domain)}${isBack ? ': back from' : ' to'} ${printable(to, 200)}`]
  for (const { stage, state, atMs } of stepsOf(migration, next)) {
    const sign = { done: paint('green', '✓'), next: paint('yellow', '>'), waiting: paint('yellow', '…'), open: ' ' }[
      state
    ]
    const when =
      state === 'done' && atMs !== undefined
        ? paint('dim', `  ${pastTimeText(atMs)}`)
        : state === 'waiting' && atMs !== undefined
          ? `  not before ${comingTimeText(atMs)}`
          : ''
    lines.push(`  ${sign} ${stageText(migration, stage)}${when}`)
  }
  lines.push(...closing(migration, declared, next, nowMs))
  return `${lines.join('\n')}\n`
}

function closing(migration: Migration, declared: readonly Exchanger[], next: NextStep, nowMs: number): string[] {
  const { domain } = migration
  const until = oldNeededUntilMs(migration)
  const keep =
    !migration.isBack && until !== undefined && until > nowMs
      ? [`The old exchangers must take mail until ${comingTimeText(until)}.`]
      : []
  switch (next.kind) {
    case 'apply':
      return [...keep, `Next: "waypost apply ${domain}".`]
    case 'wait': {
      const span = spanText(Math.max(1, Math.ceil((next.untilMs - nowMs) / 1000)))
      const then = next.stage === undefined ? 'It is over then.' : `Then: "waypost apply ${domain}".`
      return [...keep, `Wait ${span}: ${next.why}. ${then}`]
    }
    case 'done':
      return [
        'Done: no cache holds the old exchangers any more. Senders with a queue may come to them for some minutes yet.',
        ...(sameExchangers(declared, migration.next.exchangers)
          ? []
          : [
              'Say so in waypost.yaml, too: until its exchangers are the new ones, "waypost apply" leaves these MX records alone.',
            ]),
        ...(migration.spf === undefined
          ? []
          : [
              'The SPF record lets both sides send: take the old one out under "records:" when nothing sends through it any more.',
            ]),
      ]
    case 'aborted':
      return ['Back: everything is as it was before, and no cache holds the new exchangers any more.']
  }
}

export interface ShownStep {
  readonly stage: Stage
  readonly state: 'done' | 'next' | 'waiting' | 'open'
  /** Done then, or not to be done before. */
  readonly atMs: number | undefined
}

function stepsOf(migration: Migration, next: NextStep): ShownStep[] {
  return stagesOf(migration).map((stage, index): ShownStep => {
    const seen = migration.seen[index]
    if (seen) return { stage, state: 'done', atMs: seen.atMs }
    if (next.kind === 'apply' && next.stage === stage) return { stage, state: 'next', atMs: undefined }
    if (next.kind === 'wait' && next.stage === stage) return { stage, state: 'waiting', atMs: next.untilMs }
    return { stage, state: 'open', atMs: undefined }
  })
}

export function stageText(migration: Migration, stage: Stage): string {
  const set = setAfter(migration, stage)
  switch (stage) {
    case 'authorise':
      return `let both sides send: ${printable(migration.spf?.jointText ?? '', 400)}`
    case 'addresses':
      return `publish the addresses of the new exchangers: ${addressesText(migration, 'new')}`
    case 'withdraw':
      return `take back the addresses of the new exchangers: ${addressesText(migration, 'old')}`
    case 'lower-ttl':
      return `lower the TTL from ${migration.old.ttlSeconds} to ${set.ttlSeconds}`
    case 'policy':
      return 'announce the MTA-STS policy that lists old and new exchangers'
    case 'add':
      return `add the new exchangers behind the old ones: ${exchangersText(set)}`
    case 'switch':
      return `remove the old exchangers, so that ${exchangersText(set)} ${set.exchangers.length === 1 ? 'is' : 'are'} left`
    case 'raise-ttl':
      return `raise the TTL to ${set.ttlSeconds}`
    case 'restore':
      return `bring back what was there: ${exchangersText(set)}, TTL ${set.ttlSeconds}${migration.spf === undefined ? '' : `, ${printable(migration.spf.oldText, 400)}`}`
  }
}

/** By host; `old`: as they were before. */
function addressesText({ addresses }: Migration, which: 'new' | 'old'): string {
  const byHost = Map.groupBy(addresses?.sets ?? [], ({ host }) => host)
  const texts = Array.from(byHost, ([host, sets]) => {
    const those = sets.flatMap((set) => (which === 'new' ? set.addresses : (set.before?.addresses ?? [])))
    return `${host} ${those.join(' ') || 'none'}`
  })
  return printable(texts.join(', '), 400)
}

const exchangersText = ({ exchangers }: MxSet) =>
  exchangers
    .toSorted((one, other) => one.preference - other.preference)
    .map(({ preference, host }) => `${preference} ${host}`)
    .join(', ')

export function concernsText(concerns: readonly Concern[]): string {
  return concerns
    .map(
      ({ severity, rule, why, remedy }) => `  ${severity === 'refuse' ? '✗' : '!'} ${why} (${rule})\n    ${remedy}\n`,
    )
    .join('')
}

/** Times in RFC 3339. */
export function migrationJson(migration: Migration, nowMs: number): string {
  const { domain, to, startedAtMs, isBack, old, next: wanted, spf, addresses } = migration
  const next = nextStep(migration, nowMs)
  const until = oldNeededUntilMs(migration)
  return JSON.stringify({
    ...{ domain, to, startedAt: time(startedAtMs), direction: isBack ? 'back' : 'forward' },
    state: next.kind,
    next:
      next.kind === 'apply'
        ? { stage: next.stage, needs: next.proof }
        : next.kind === 'wait'
          ? { stage: next.stage ?? null, notBefore: time(next.untilMs), why: next.why }
          : null,
    steps: stepsOf(migration, next).map(({ stage, state, atMs }) => ({
      ...{ stage, state, set: setAfter(migration, stage) },
      ...(atMs === undefined ? {} : { [state === 'done' ? 'seenAt' : 'notBefore']: time(atMs) }),
    })),
    ...{ old, new: wanted },
    spf: spf === undefined ? null : { old: spf.oldText, joint: spf.jointText },
    addresses: (addresses?.sets ?? []).map(({ host, type, before, addresses: published }) => ({
      ...{ host, type, published, before: before ?? null },
    })),
    oldNeededUntil: until === undefined ? null : time(until),
  })
}

const time = (ms: number) => new Date(ms).toISOString()
