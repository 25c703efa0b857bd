/** What `waypost apply` says of a zone while it is applied, and of what came of it. */
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { comingTimeText } from '../../base/time-text.ts'
import { rdataText } from '../../dns/rdata-text.ts'
import { nameServerText } from '../../dns/servers.ts'
import type { AppliedZone } from '../../publish/apply/apply.ts'
import { isRight, isSeenByAll, type ServerView, type Verified } from '../../publish/apply/verify.ts'
import { byKey, type RecordSet, sameContent, setKey, setText } from '../../publish/sets/record-set.ts'
import type { SetChange } from '../../publish/targets/target.ts'
import { barText, createProgress } from '../progress.ts'
import { createStatusLine, type ExitCode, type Terminal } from '../terminal.ts'

/** What a person sees while zones are applied, and of each when it is done. */
export interface Telling {
  progress(title: string, servers: readonly ServerView[]): void
  /** @param waitMs  how long the servers were asked */
  done(title: string, applied: AppliedZone, waitMs: number): ExitCode
  /** When nothing more comes. */
  end(): void
}

export const tellEach = (terminal: Terminal): Telling => ({
  progress: (title, servers) => progress(title, servers, terminal),
  done: (title, applied, waitMs) => report(title, applied, waitMs, terminal),
  end() {},
})

/** One line for all of them, and words of their own only for those that a person has to look at. */
export function tellTogether(count: number, terminal: Terminal): Telling {
  const startedMs = systemClock.monotonicMs()
  const all = { zones: 0 }
  const fine = { zones: 0, sets: 0, cachesUntilMs: 0, isSeen: true }
  /** Why some servers were not asked → of how many zones. */
  const unasked = new Map<string, number>()
  const text = () => barText(all.zones, all.zones / count, systemClock.monotonicMs() - startedMs)
  const bar = createProgress(text, createStatusLine(), terminal, systemClock, true)
  return {
    progress() {},
    done(title, applied, waitMs) {
      all.zones++
      const { outcome, verified, changes, cachesUntilMs } = applied
      const isFine = outcome.kind === 'applied' && outcome.note === undefined && isSeenEverywhere(verified, waitMs)
      if (!isFine) {
        bar.clear()
        return report(title, applied, waitMs, terminal)
      }
      const { unfound } = verified ?? {}
      if (unfound !== undefined) unasked.set(unfound, (unasked.get(unfound) ?? 0) + 1)
      fine.zones++
      fine.sets += changes.length
      fine.isSeen &&= verified !== undefined
      fine.cachesUntilMs = Math.max(fine.cachesUntilMs, cachesUntilMs ?? 0)
      return 0
    },
    end() {
      bar.end()
      if (fine.zones === 0) return
      const who = unasked.size === 0 ? 'every server' : 'every server that was asked'
      const seen = fine.isSeen ? `, and ${who} answers with them` : '; whether they arrived was not looked at'
      terminal.out(`${fine.zones} zones: ${fine.sets} sets of records changed${seen}.\n`)
      for (const [why, zones] of [...unasked].slice(0, mostReasons))
        terminal.out(`  ${unaskedText(why)} (${zones} zone${zones === 1 ? '' : 's'}).\n`)
      if (unasked.size > mostReasons) terminal.out(`  And ${unasked.size - mostReasons} more reasons like this.\n`)
      terminal.out(cachesText(fine.cachesUntilMs))
    },
  }
}

/** Of many zones; the same one is told once. */
const mostReasons = 5

/** Of servers, beside others that answer. */
export const unaskedText = (why: string) => `Others were not asked: ${printable(why, 400)}`

function isSeenEverywhere(verified: Verified | undefined, waitMs: number): boolean {
  if (verified === undefined) return waitMs === 0
  return isSeenByAll(verified)
}

function progress(title: string, servers: readonly ServerView[], terminal: Terminal): void {
  const right = servers.filter(isRight).length
  const width = 20
  const filled = servers.length === 0 ? 0 : Math.round((right / servers.length) * width)
  terminal.err(
    `  ${title}: [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${right} of ${servers.length} servers answer with it\n`,
  )
}

function report(title: string, applied: AppliedZone, waitMs: number, terminal: Terminal): ExitCode {
  const { outcome, verified, cachesUntilMs } = applied
  if (outcome.kind !== 'applied') {
    terminal.err(`waypost: ${title}: ${outcomeText(applied)}\n`)
    if (outcome.kind === 'conflict') terminal.err(nowText(outcome.now, applied.changes))
    if ('remedy' in outcome && outcome.remedy !== undefined) terminal.err(`  ${outcome.remedy}\n`)
    return 2
  }
  const count = applied.changes.length
  terminal.out(
    `${title}: ${count === 0 ? 'the zone is made' : `${count} set${count === 1 ? '' : 's'} of records changed`}.\n`,
  )
  if (outcome.note !== undefined) terminal.out(`  note: ${outcome.note}\n`)
  const seen = verified
    ? verifiedText(verified, waitMs)
    : { text: 'Whether it arrived was not looked at.', exit: 0 as const }
  terminal.out(`  ${seen.text}\n`)
  terminal.out(cachesText(cachesUntilMs))
  return seen.exit
}

const cachesText = (untilMs: number | undefined) =>
  untilMs !== undefined && untilMs > systemClock.now() + 1_000
    ? `  Caches may hold what was there before until ${comingTimeText(untilMs)}.\n`
    : ''

function outcomeText({ outcome, changes }: AppliedZone): string {
  switch (outcome.kind) {
    case 'conflict':
      return `somebody else was there: ${outcome.why}. Nothing was changed; plan again and look.`
    case 'unknown':
      return `it may have been done, or not: ${outcome.why}`
    case 'partly': {
      const done = outcome.done.map(setText).join(', ') || 'nothing'
      const maybe = outcome.unknown.length > 0 ? `, perhaps also ${outcome.unknown.map(setText).join(', ')}` : ''
      return `done: ${done}${maybe}; the rest of ${changes.length} sets was not: ${outcome.why}`
    }
    case 'not-loaded':
      return outcome.why
    default:
      return 'why' in outcome ? `${outcome.why}. Nothing was changed.` : ''
  }
}

/** What somebody else made of the sets that were to be changed, a record a line. */
function nowText(now: readonly RecordSet[] | undefined, changes: readonly SetChange[]): string {
  if (now === undefined) return ''
  const live = byKey(now)
  const lines = changes
    .filter((change) => !sameContent(live.get(setKey(change)), change.before))
    .flatMap((change) => {
      const set = live.get(setKey(change))
      if (set === undefined) return [`${setText(change)} is gone`]
      return set.data.map((data) => `${setText(set)} ${printable(rdataText(data), 400)}  TTL ${set.ttlSeconds}`)
    })
  return `  It is there now:\n${lines.map((line) => `    ${line}\n`).join('')}`
}

/** What a server that does not answer with it does instead. */
export function viewText({ server, state }: ServerView): string {
  const what =
    state.kind === 'other'
      ? `still has another ${state.sets.join(', ')}`
      : 'why' in state
        ? `gives no answer of its own (${printable(state.why, 100)})`
        : ''
  return `${nameServerText(server)} ${what}`
}

export function verifiedText({ servers, unfound }: Verified, waitMs: number): { text: string; exit: ExitCode } {
  const right = servers.filter(isRight)
  const lost = unfound === undefined ? '' : `\n  ${unaskedText(unfound)}.`
  if (servers.length > 0 && right.length === servers.length)
    return {
      text: `${servers.length === 1 ? 'The server answers' : `All ${servers.length} servers answer`} with it.${lost}`,
      exit: 0,
    }
  if (servers.length === 0)
    return {
      text: `No server was found to ask, so nobody has seen it: ${printable(unfound ?? 'none is named', 400)}. Name some by "servers:" under the publisher.`,
      exit: 2,
    }
  const wrong = servers.filter((view) => !isRight(view)).map(viewText)
  return { text: `It is done, and after ${waitMs / 1000} s not seen everywhere: ${wrong.join('; ')}.${lost}`, exit: 2 }
}
