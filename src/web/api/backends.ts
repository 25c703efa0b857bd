/** `/api/backends`: what the gateway knows of its backends; trying one now, taking one out of service and putting it back. */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import type { WebDeps } from '../deps.ts'
import type { Site } from '../site.ts'
import type { Now } from '../state/now.ts'
import { backendShape } from '../state/shapes.ts'

const named = z.strictObject({ url: z.string().max(4096).describe('As /api/backends says it.') })

export function addBackends(site: Site, now: Now, { gateway }: Pick<WebDeps, 'gateway'>): void {
  site.resource({
    method: 'get',
    path: '/api/backends',
    access: 'glance',
    summary: 'Each address of each backend, with its health.',
    answer: z.array(backendShape),
    handle: ({ who }) => ({ kind: 'ok', value: [...now.backends(who.kind === 'person')] }),
  })
  site.resource({
    method: 'post',
    path: '/api/backends/probe',
    access: 'operate',
    summary: 'Tries a backend that is down at once, and not only when its pause is over.',
    body: named,
    answer: z.object({}),
    handle({ body: { url }, audit }) {
      audit({ backend: printable(url, 200) })
      if (!gateway.tryNow(url)) return unknownBackend
      return { kind: 'ok', value: {} }
    },
  })
  for (const [word, isOut] of [
    ['out', true],
    ['in', false],
  ] as const)
    site.resource({
      method: 'post',
      path: `/api/backends/${word}`,
      access: 'operate',
      summary: isOut
        ? 'Takes a backend out of service: it gets no new mail, and its sessions end with the message at hand.'
        : 'Puts a backend back that was taken out.',
      body: named,
      answer: z.object({ wasSo: z.boolean().describe('It was so before, and nothing was done.') }),
      async handle({ body: { url }, audit }) {
        const backend = printable(url, 200)
        audit({ backend })
        const outcome = await gateway.setOut(url, isOut)
        if (outcome === 'unknown') return unknownBackend
        const wasSo = outcome === 'was-so'
        if (wasSo) audit({ backend, wasSo })
        return { kind: 'ok', value: { wasSo } }
      },
    })
}

const unknownBackend = { kind: 'no', status: 404, why: 'there is no such backend' } as const
