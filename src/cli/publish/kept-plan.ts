/** `waypost apply --plan FILE`: whether the plan of now is the one that was looked at. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorCode } from '../../base/error-code.ts'
import { printable } from '../../base/printable.ts'
import type { Terminal } from '../terminal.ts'

/** Where it is not, what differs is shown. @param now  as `waypost plan --json` prints it */
export async function isSamePlan(file: string, now: string, terminal: Terminal): Promise<boolean> {
  const shown = printable(file, 300)
  const kept = await readFile(file, 'utf8').catch((error: unknown) => ({ code: errorCode(error) ?? 'unknown' }))
  if (typeof kept !== 'string') {
    terminal.err(`waypost: ${shown} cannot be read (${kept.code})\n`)
    return false
  }
  const [before, after] = [readPlan(kept), readPlan(now)]
  if (before === undefined || after === undefined) {
    terminal.err(`waypost: ${shown} is no plan of "waypost plan --json"\n`)
    return false
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return true
  terminal.err(
    `waypost: nothing was changed: the plan is no longer the one in ${shown}.\n${differenceText(linesOf(before), linesOf(after))}`,
  )
  return false
}

const content = z.object({ ttl: z.number(), data: z.array(z.string()) }).nullable()

const changes = z.array(z.object({ name: z.string(), type: z.string(), before: content, after: content })).default([])

/** What a plan would do, without what was only found out along the way. */
const plan = z.object({
  zones: z.array(
    z.object({
      zone: z.string(),
      publisher: z.string().nullable(),
      newZone: z.boolean().default(false),
      changes,
    }),
  ),
  migrations: z
    .array(z.object({ domain: z.string(), to: z.string(), stage: z.string(), what: z.string(), changes }))
    .default([]),
})
type Plan = z.output<typeof plan>

function readPlan(text: string): Plan | undefined {
  try {
    return plan.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A record a line, as a plan shows them. */
function linesOf({ zones, migrations }: Plan): string[] {
  const records = zones.flatMap(({ zone, publisher, newZone, changes }) => {
    const place = `${zone}${publisher === null ? '' : ` at ${publisher}`}: `
    return [...(newZone ? ['+ the zone itself'] : []), ...changeLines(changes)].map((line) => `${place}${line}`)
  })
  const steps = migrations.flatMap(({ domain, to, what, changes }) =>
    [`> ${what}`, ...changeLines(changes)].map((line) => `${domain} to ${to}: ${line}`),
  )
  return [...records, ...steps]
}

const changeLines = (changes: z.output<typeof plan>['zones'][number]['changes']) =>
  changes.flatMap(({ name, type, before, after }) => [
    ...recordLines(before, after).map((text) => `- ${name} ${type} ${text}`),
    ...recordLines(after, before).map((text) => `+ ${name} ${type} ${text}`),
  ])

type Content = z.output<typeof content>

/** Those that the other does not have. */
function recordLines(content: Content, other: Content): string[] {
  const texts = (of: Content) => (of?.data ?? []).map((data) => `${data}  TTL ${of?.ttl}`)
  const known = new Set(texts(other))
  return texts(content).filter((text) => !known.has(text))
}

function differenceText(before: readonly string[], after: readonly string[]): string {
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${printable(line, 500)}\n`).join('')}`
  const gone = before.filter((line) => !after.includes(line))
  const come = after.filter((line) => !before.includes(line))
  return `${part('Planned then, and not any more:', gone)}${part('Planned now, and not then:', come)}`
}
