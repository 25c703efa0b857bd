/**
 * `/api/messages/{id}`: one held message: its envelope and attempts; its text for those who may read mail, taken apart beside the mail and made harmless;
 * its octets as a file. Who read what leaves a line in the log.
 */
import { z } from '@hono/zod-openapi'
import type { Log } from '../../base/log.ts'
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import { showAnswer } from '../../gateway/operate/queue-shapes.ts'
import { isEnough } from '../access/role.ts'
import type { WebDeps } from '../deps.ts'
import { gone, pieceOf, streamOf } from '../message/held-octets.ts'
import { createReadHeld, type ReadHeld } from '../message/read-held.ts'
import { createMessageReader } from '../message/reader.ts'
import { subjectIn } from '../message/subject.ts'
import type { Site, SiteContext } from '../site.ts'
import { framed } from './framed.ts'
import { whileStoreWorks } from './while-store-works.ts'

const idParam = z.object({ id: z.string().regex(/^[0-9A-Za-z-]{1,64}$/, 'the id of a message') })

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

/** Undefined where nothing is held. */
type Mail = () => QueueOperations | undefined

export function addMessages(site: Site, { gateway, clock, log }: Pick<WebDeps, 'gateway' | 'clock' | 'log'>): void {
  const mail: Mail = () => gateway.heldMail?.operations
  const readHeld = createReadHeld(mail, createMessageReader(clock))
  addEnvelope(site, mail)
  addSubjects(site, mail, log)
  addText(site, readHeld, log)
  addHtml(site, readHeld, log)
  addFile(site, mail, log)
}

function addEnvelope(site: Site, mail: Mail): void {
  site.resource({
    method: 'get',
    path: '/api/messages/{id}',
    access: 'view',
    summary: 'One held message: envelope, recipients, attempts; its header for those who may read mail.',
    params: idParam,
    answer: showAnswer,
    handle: ({ param, who }) =>
      whileStoreWorks('read', async () => {
        const shown = await mail()?.show(param('id'))
        if (!shown) return gone
        const mayRead = who.kind === 'person' && isEnough(who.role, 'read')
        return { kind: 'ok', value: { ...shown, headers: mayRead ? shown.headers : null } }
      }),
  })
}

function addSubjects(site: Site, mail: Mail, log: Log): void {
  site.resource({
    method: 'get',
    path: '/api/subjects',
    access: 'read',
    summary: 'What held messages are about, by id: for a page of the list.',
    query: z.object({
      ids: z
        .string()
        .regex(/^[0-9A-Za-z-]{1,64}(?:,[0-9A-Za-z-]{1,64}){0,49}$/, 'up to 50 ids of messages, with commas between'),
    }),
    answer: subjectsAnswer,
    handle: ({ query, context }) =>
      whileStoreWorks('read', async () => {
        const subjects: Record<string, string> = {}
        // One after the other: a list that is looked through is no reason for fifty bodies in memory.
        for (const id of query.ids.split(',')) {
          const shown = await mail()?.show(id)
          if (shown?.headers) subjects[id] = subjectIn(shown.headers)
        }
        logRead(log, context, { subjects: Object.keys(subjects).length })
        return { kind: 'ok', value: { subjects } }
      }),
  })
}

function addText(site: Site, readHeld: ReadHeld, log: Log): void {
  site.resource({
    method: 'get',
    path: '/api/messages/{id}/text',
    access: 'read',
    summary: 'What a person reads of it.',
    params: idParam,
    answer: textAnswer,
    handle: ({ param, context }) =>
      whileStoreWorks('read', async () => {
        const id = param('id')
        const read = await readHeld(id, () => logRead(log, context, { id }))
        if (read.kind !== 'read') return read
        const { text, html, attachments, ...rest } = read.message
        const value = {
          ...rest,
          text: text ?? null,
          hasHtml: html !== undefined,
          attachments: [...attachments],
          isPart: read.isPart || rest.isPart,
        }
        return { kind: 'ok', value }
      }),
  })
}

function addHtml(site: Site, readHeld: ReadHeld, log: Log): void {
  site.resource({
    method: 'get',
    path: '/api/messages/{id}/html',
    access: 'read',
    summary: 'Its HTML without anything that could do something, for a frame.',
    params: idParam,
    answer: z.string().describe('text/html'),
    handle: ({ param, context }) =>
      whileStoreWorks('read', async () => {
        const id = param('id')
        const read = await readHeld(id, () => logRead(log, context, { id }))
        if (read.kind !== 'read') return read
        const { html } = read.message
        return html === undefined
          ? { kind: 'no', status: 404, why: 'it has no HTML' }
          : framed(context, documentOf(html))
      }),
  })
}

function addFile(site: Site, mail: Mail, log: Log): void {
  site.resource({
    method: 'get',
    path: '/api/messages/{id}/eml',
    access: 'read',
    summary: 'Its octets, as a backend would get them.',
    params: idParam,
    answer: z.string().describe('message/rfc822'),
    handle: ({ param, context }) =>
      whileStoreWorks('read', async () => {
        const operations = mail()
        if (!operations) return gone
        const id = param('id')
        const first = await pieceOf(operations, id, 0)
        if (first.kind === 'no') return first
        logRead(log, context, { id })
        context.header('content-type', 'message/rfc822')
        context.header('content-disposition', `attachment; filename="${id}.eml"`)
        context.header('content-length', String(first.size))
        return { kind: 'response', response: context.body(streamOf(operations, id)) as Response }
      }),
  })
}

function logRead(log: Log, context: SiteContext, what: { readonly id: string } | { readonly subjects: number }): void {
  const who = context.get('who')
  log.info('held mail read through the dashboard', {
    ...what,
    by: who.kind === 'person' ? who.name : 'nobody',
    client: context.get('connection').peer,
  })
}

/** White as its author saw it, whatever the page around it has. */
const documentOf = (html: string) => `<!doctype html>
<html lang="und"><head><meta charset="utf-8"><title>Message</title>
<style>html{background:#fff;color:#1b1f24;color-scheme:light;font:15px/1.5 system-ui,sans-serif}body{margin:1rem;overflow-wrap:anywhere}table{max-width:100%}</style>
</head><body>${html}</body></html>
`
