/** What `waypost apply` says of a zone while it is applied, and of what came of it. */
import { systemClock } from '../../base/clock.ts'
import { printable } from '../../base/printable.ts'
import { nameServerText } from '../../dns/servers.ts'
import type { AppliedZone } from '../../publish/apply.ts'
import { timeText } from '../../publish/consequences.ts'
import { setText } from '../../publish/record-set.ts'
import { isRight, type ServerView, type Verified } from '../../publish/verify.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export function progress(title: string, servers: readonly ServerView[], terminal: Terminal): void {
  const right = servers.filter(isRight).length
  const width = 20
  const filled = servers.length === 0 ? 0 : Math.round((right / servers.length) * width)
  terminal.err(
    `  ${title}: [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${right} of ${servers.length} servers answer with it\n`,
  )
}

/** @param waitMs  how long the servers were asked */
export function report(title: string, applied: AppliedZone, waitMs: number, terminal: Terminal): ExitCode {
  const { outcome, verified, cachesUntilMs } = applied
  if (outcome.kind !== 'applied') {
    terminal.err(`waypost: ${title}: ${outcomeText(applied)}\n`)
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
  if (cachesUntilMs !== undefined && cachesUntilMs > systemClock.now() + 1_000)
    terminal.out(`  Caches may hold what was there before until ${timeText(cachesUntilMs)}.\n`)
  return seen.exit
}

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

function verifiedText({ servers, unfound }: Verified, waitMs: number): { text: string; exit: ExitCode } {
  const right = servers.filter(isRight)
  const lost = unfound === undefined ? '' : ` Others were not asked: ${printable(unfound, 400)}.`
  if (servers.length > 0 && right.length === servers.length)
    return {
      text: `${servers.length === 1 ? 'The server answers' : `All ${servers.length} servers answer`} with it.${lost}`,
      exit: 0,
    }
  if (servers.length === 0)
    return {
      text: `No server was found to ask, so nobody has seen it.${lost} Name some by "servers:" under the publisher.`,
      exit: 2,
    }
  const wrong = servers
    .filter((view) => !isRight(view))
    .map(({ server, state }) => {
      const what =
        state.kind === 'other'
          ? `still has another ${state.sets.join(', ')}`
          : 'why' in state
            ? `gives no answer of its own (${printable(state.why, 100)})`
            : ''
      return `${nameServerText(server)} ${what}`
    })
  return { text: `It is done, and after ${waitMs / 1000} s not seen everywhere: ${wrong.join('; ')}.${lost}`, exit: 2 }
}
