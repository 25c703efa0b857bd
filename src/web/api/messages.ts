/**
 * `/api/messages/{id}`: one held message: its envelope and attempts; its text for those who may read mail, taken apart beside the mail and made harmless;
 * its octets as a file. Who read what leaves a line in the log.
 */
import { z } from '@hono/zod-openapi'
import type { Log } from '../../base/log.ts'
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import { showAnswer } from '../../gateway/operate/queue-shapes.ts'
import { StoreFailure } from '../../queue/queue.ts'
import { isEnough } from '../access/role.ts'
import type { WebDeps } from '../deps.ts'
import { createMessageReader, type Read } from '../message/reader.ts'
import { subjectIn } from '../message/subject.ts'
import { mailPolicy } from '../policy.ts'
import type { Answered, Site, SiteContext } from '../site.ts'

const idParam = z.object({ id: z.string().regex(/^[0-9A-Za-z-]{1,64}$/) })

const textAnswer = z.object({
  subject: z.string(),
  from: z.string(),
  to: z.string(),
  cc: z.string(),
  date: z.string(),
  text: z.string().nullable(),
  hasHtml: z.boolean().describe('/api/messages/{id}/html shows it.'),
  attachments: z.array(z.object({ name: z.string(), type: z.string(), octets: z.number() })),
  isPart: z.boolean().describe('There is more of it than is shown.'),
})
const subjectsAnswer = z.object({ subjects: z.record(z.string(), z.string()) })
export type SubjectsAnswer = z.output<typeof subjectsAnswer>

export type TextAnswer = z.output<typeof textAnswer>

/** Enough for what people read; what is attached behind it is listed as far as it goes. */
const mostReadBytes = 12 * 1024 * 1024
/** Messages that are in memory at once for it. */
const mostAtOnce = 4

export function addMessages(site: Site, { gateway, clock, log }: WebDeps): void {
  const reader = createMessageReader(clock)
  const mail = () => gateway.heldMail?.operations
  let reading = 0

  site.resource({
    method: 'get',
    path: '/api/messages/{id}',
    access: 'view',
    summary: 'One held message: envelope, recipients, attempts; its header for those who may read mail.',
    params: idParam,
    answer: showAnswer,
    handle: ({ param, who }) =>
      whileStoreWorks(async () => {
        const shown = await mail()?.show(param('id'))
        if (!shown) return gone
        const mayRead = who.kind === 'person' && isEnough(who.role, 'read')
        return { kind: 'ok', value: { ...shown, headers: mayRead ? shown.headers : null } }
      }),
  })

  site.resource({
    method: 'get',
    path: '/api/subjects',
    access: 'read',
    summary: 'What held messages are about, by id: for a page of the list.',
    query: z.object({ ids: z.string().regex(/^[0-9A-Za-z-]{1,64}(?:,[0-9A-Za-z-]{1,64}){0,49}$/) }),
    answer: subjectsAnswer,
    handle: ({ query, context }) =>
      whileStoreWorks(async () => {
        const subjects: Record<string, string> = {}
        // One after the other: a list that is looked through is no reason for fifty bodies in memory.
        for (const id of query.ids.split(',')) {
          const shown = await mail()?.show(id)
          if (shown?.headers) subjects[id] = subjectIn(shown.headers)
        }
        told(log, context, { subjects: Object.keys(subjects).length })
        return { kind: 'ok', value: { subjects } }
      }),
  })

  site.resource({
    method: 'get',
    path: '/api/messages/{id}/text',
    access: 'read',
    summary: 'What a person reads of it.',
    params: idParam,
    answer: textAnswer,
    handle: ({ param, context }) =>
      whileStoreWorks(async () => {
        const { read, isPart } = await readOf(param('id'), context)
        if (read.kind !== 'read') return read
        const { text, html, attachments, ...rest } = read.message
        const value = {
          ...rest,
          text: text ?? null,
          hasHtml: html !== undefined,
          attachments: [...attachments],
          isPart: isPart || rest.isPart,
        }
        return { kind: 'ok', value }
      }),
  })

  site.resource({
    method: 'get',
    path: '/api/messages/{id}/html',
    access: 'read',
    summary: 'Its HTML without anything that could do something, for a frame.',
    params: idParam,
    answer: z.string().describe('text/html'),
    handle: ({ param, context }) =>
      whileStoreWorks(async () => {
        const { read } = await readOf(param('id'), context)
        if (read.kind !== 'read') return read
        if (read.message.html === undefined) return { kind: 'no', status: 404, why: 'it has no HTML' }
        context.header('content-security-policy', mailPolicy)
        context.header('x-frame-options', 'SAMEORIGIN')
        return { kind: 'response', response: context.html(documentOf(read.message.html)) as Response }
      }),
  })

  site.resource({
    method: 'get',
    path: '/api/messages/{id}/eml',
    access: 'read',
    summary: 'Its octets, as a backend would get them.',
    params: idParam,
    answer: z.string().describe('message/rfc822'),
    handle: ({ param, context }) =>
      whileStoreWorks(async () => {
        const operations = mail()
        const id = param('id')
        const first = await operations?.cat(id, 0)
        if (!operations || !first || ('kind' in first && first.kind === 'gone')) return gone
        if ('kind' in first) return { kind: 'no', status: 404, why: 'its body is damaged' }
        told(log, context, { id })
        context.header('content-type', 'message/rfc822')
        context.header('content-disposition', `attachment; filename="${id}.eml"`)
        context.header('content-length', String(first.size))
        return { kind: 'response', response: context.body(octets(operations, id)) as Response }
      }),
  })

  async function readOf(id: string, context: SiteContext): Promise<ReadPart> {
    if (reading >= mostAtOnce) return { read: busy, isPart: false }
    reading++
    try {
      return await loadAndRead(id, context)
    } finally {
      reading--
    }
  }

  async function loadAndRead(id: string, context: SiteContext): Promise<ReadPart> {
    const operations = mail()
    const parts: Buffer[] = []
    let bytes = 0
    let next: number | null = 0
    while (next !== null && bytes < mostReadBytes) {
      const part: Awaited<ReturnType<QueueOperations['cat']>> | undefined = await operations?.cat(id, next)
      if (!part || ('kind' in part && part.kind === 'gone')) return { read: gone, isPart: false }
      if ('kind' in part) return { read: { kind: 'no', status: 404, why: 'its body is damaged' }, isPart: false }
      const block = Buffer.from(part.content, 'base64')
      parts.push(block)
      bytes += block.length
      next = part.next
    }
    told(log, context, { id })
    const read = await reader.read(new Uint8Array(Buffer.concat(parts)))
    if (read.kind === 'busy') return { read: busy, isPart: false }
    if (read.kind === 'failed') return { read: { kind: 'no', status: 409, why: read.why }, isPart: false }
    return { read, isPart: next !== null }
  }
}

type No = Extract<Answered<never>, { kind: 'no' }>

interface ReadPart {
  readonly read: Extract<Read, { kind: 'read' }> | No
  readonly isPart: boolean
}

const busy: No = { kind: 'no', status: 503, why: 'others are being read; come again in a moment' }
const gone: No = { kind: 'no', status: 404, why: 'there is no such message here: it was delivered, or never held' }

function told(log: Log, context: SiteContext, what: { readonly id: string } | { readonly subjects: number }): void {
  const who = context.get('who')
  log.info('held mail read through the dashboard', {
    ...what,
    by: who.kind === 'person' ? who.name : 'nobody',
    client: context.get('connection').peer,
  })
}

function octets(operations: QueueOperations, id: string): ReadableStream<Uint8Array> {
  let next: number | null = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (next === null) return controller.close()
        const part = await operations.cat(id, next)
        // It was delivered or removed on the way: the file ends short of its length, which the browser notices.
        if ('kind' in part) return controller.error(new Error('the message is gone'))
        controller.enqueue(Buffer.from(part.content, 'base64'))
        next = part.next
      },
    },
    { highWaterMark: 0 },
  )
}

/** White as its author saw it, whatever the page around it has. */
const documentOf = (html: string) => `<!doctype html>
<html lang="und"><head><meta charset="utf-8"><title>Message</title>
<style>html{background:#fff;color:#1b1f24;color-scheme:light;font:15px/1.5 system-ui,sans-serif}body{margin:1rem;overflow-wrap:anywhere}table{max-width:100%}</style>
</head><body>${html}</body></html>
`

async function whileStoreWorks<Value>(work: () => Promise<Answered<Value>>): Promise<Answered<Value>> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreFailure) return { kind: 'no', status: 503, why: 'the store cannot be read now' }
    throw error
  }
}
