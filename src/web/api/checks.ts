/** `/api/checks`: a domain is looked at now, step by step before the eyes of who asked; then its report, and the page of each finding in the docs. */
import { readFile } from 'node:fs/promises'
import { z } from '@hono/zod-openapi'
import type { Clock } from '../../base/clock.ts'
import type { DomainReport } from '../../checks/report/domain-report.ts'
import { createFormat } from '../../checks/report/format.ts'
import { count, countable, createTally } from '../../checks/report/tally.ts'
import { ruleIds } from '../../checks/rule-ids.ts'
import { isEnough } from '../access/role.ts'
import type { Check, Checks } from '../check/checks.ts'
import { foundOf, foundShape } from '../check/found.ts'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'
import { framed } from './framed.ts'

const idParam = z.object({ id: z.string().regex(/^[0-9a-f]{24}$/, 'the id of a check') })
const ruleParam = z.object({ id: z.string().regex(/^[a-z0-9-]{1,64}$/, 'the id of a rule') })

/** Beside `src/` in a checkout, beside `dist/` in the package. */
const pages = new URL('../../../docs/checks/', import.meta.url)

export function addChecks(
  site: Site,
  checks: Checks,
  deps: Pick<WebDeps, 'readDomain' | 'isDeclared' | 'clock'>,
): void {
  addStart(site, checks, deps)
  addSteps(site, checks, deps.clock)
  addFound(site, checks)
  addReport(site, checks)
  addRulePages(site)
}

function addStart(
  site: Site,
  checks: Checks,
  { readDomain, isDeclared }: Pick<WebDeps, 'readDomain' | 'isDeclared'>,
): void {
  site.resource({
    method: 'post',
    path: '/api/checks',
    access: 'view',
    summary: 'Begins to check a domain. Those that are not declared take the role operate.',
    body: z.strictObject({ domain: z.string().min(1).max(300) }),
    answer: z.object({ id: z.string(), domain: z.string() }),
    handle({ body, who, audit }) {
      const read = readDomain(body.domain.trim())
      if (read.kind === 'no') return { kind: 'no', status: 400, why: `this is no domain: ${read.why}` }
      audit({ domain: read.value })
      const mayAll = who.kind === 'person' && isEnough(who.role, 'operate')
      if (!isDeclared(read.value) && !mayAll)
        return { kind: 'no', status: 403, why: 'domains that are not declared here are checked by the role operate' }
      const started = checks.start(read.value, mayAll)
      if (started.kind === 'too-many')
        return { kind: 'no', status: 429, why: 'others are being checked; come again in a minute' }
      return { kind: 'ok', value: { id: started.id, domain: read.value } }
    },
  })
}

function addSteps(site: Site, checks: Checks, clock: Clock): void {
  site.resource({
    method: 'get',
    path: '/api/checks/{id}/events',
    access: 'view',
    summary: 'Its steps as they come: server-sent events named `step`, and `done` at the end.',
    params: idParam,
    answer: z.string().describe('text/event-stream'),
    handle({ param, who }) {
      const id = param('id')
      if (!checks.find(id)) return unknownCheck
      const isStill = () => who.kind === 'person' && who.isStill()
      const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }
      return {
        kind: 'response',
        response: new Response(
          stepsOf(() => (isStill() ? checks.find(id) : undefined), clock),
          { headers },
        ),
      }
    },
  })
}

function addFound(site: Site, checks: Checks): void {
  site.resource({
    method: 'get',
    path: '/api/checks/{id}',
    access: 'view',
    summary: 'What it found, once it is over.',
    params: idParam,
    answer: foundShape,
    handle({ param }) {
      const check = checks.find(param('id'))
      const report = check && reportOf(check)
      return report ? { kind: 'ok', value: foundOf(report, check.startedMs) } : unknownCheck
    },
  })
}

function addReport(site: Site, checks: Checks): void {
  site.resource({
    method: 'get',
    path: '/api/checks/{id}/report',
    access: 'view',
    summary: 'The report that `waypost check --format html` writes.',
    params: idParam,
    answer: z.string().describe('text/html'),
    handle({ param, context }) {
      const check = checks.find(param('id'))
      const report = check && reportOf(check)
      return report ? framed(context, htmlOf(report)) : unknownCheck
    },
  })
}

function addRulePages(site: Site): void {
  site.resource({
    method: 'get',
    path: '/api/docs/checks/{id}',
    access: 'glance',
    summary: 'The page of a check, in Markdown.',
    params: ruleParam,
    answer: z.object({ text: z.string() }),
    async handle({ param }) {
      const id = param('id')
      if (!(ruleIds as readonly string[]).includes(id))
        return { kind: 'no', status: 404, why: 'there is no such check' }
      return { kind: 'ok', value: { text: await readFile(new URL(`${id}.md`, pages), 'utf8') } }
    },
  })
}

const lookAgainMs = 1_000

const unknownCheck = { kind: 'no', status: 404, why: 'there is no such check, or it is not over yet' } as const

/** Resolves at the next step, or when it is time to see whether whoever looks may still look. */
async function changed(check: Check, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.after(lookAgainMs, resolve)
  await Promise.race([check.changed, promise])
  timer.cancel()
}

const reportOf = ({ report }: Check): DomainReport | undefined => (report === 'failed' ? undefined : report)

function htmlOf(report: DomainReport): string {
  const format = createFormat('html', { columns: 100, isColored: false, isWhole: true, failOn: 'error' })
  const tally = createTally()
  count(tally, countable(report), 'error')
  return `${format.begin()}${format.one(report)}${format.end(tally)}`
}

/**
 * From the first step on, whenever somebody comes; a step a message.
 * @param find  undefined once it is gone, or may not be seen any more: asked again now and then
 */
function stepsOf(find: () => Check | undefined, clock: Clock): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let told = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const check = find()
          if (!check) return controller.close()
          const next = check.steps[told]
          if (next) {
            told++
            controller.enqueue(encoder.encode(`event: step\ndata: ${JSON.stringify(next.words)}\n\n`))
            return
          }
          if (check.report !== undefined) {
            const end = check.report === 'failed' ? 'failed' : 'done'
            controller.enqueue(encoder.encode(`event: ${end}\ndata: {}\n\n`))
            return controller.close()
          }
          await changed(check, clock)
        }
      },
    },
    { highWaterMark: 0 },
  )
}
