/**
 * What a person did to the gateway, in a sentence for the history: the same whether it was done through the page (`web/action-words.ts`), on the command line
 * beside a running gateway, or on the store of a stopped one (`cli/noted-deeds.ts`).
 */
import { printable } from '../../base/printable.ts'
import type { Act } from './queue-shapes.ts'

export type Deed =
  | { readonly kind: 'backend-out' | 'backend-in'; readonly backend: string }
  | { readonly kind: 'act'; readonly act: Exclude<Act, 'count'> | 'take' | 'bringIn'; readonly messages: number }
  | { readonly kind: 'resume'; readonly backends: readonly string[] }
  | { readonly kind: 'reload' }
  | { readonly kind: 'apply'; readonly zone: string; readonly changes: number }
  | { readonly kind: 'migrate'; readonly domain: string; readonly move: Move }

/** What was done to a migration; `step` and `to` in words. */
export type Move =
  | { readonly kind: 'begun'; readonly to: string }
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'turned-back' | 'ended-unwritten' | 'forgotten' }

/** The kind of such an event in the history. */
export const deedKind = 'by-person'

const acts = {
  retry: 'tried again',
  hold: 'kept back',
  release: 'let go',
  route: 'sent another way',
  remove: 'removed',
  take: 'taken out into files',
  bringIn: 'brought in from files',
} as const

export const isAct = (act: unknown): act is keyof typeof acts => typeof act === 'string' && Object.hasOwn(acts, act)

/** @param by  who it was, as it stands in the middle of a sentence. @returns undefined where it changed nothing that anybody would look for later */
export function deedText(deed: Deed, by: string): string | undefined {
  switch (deed.kind) {
    case 'backend-out':
      return `${by} took ${printable(deed.backend, 300)} out of service`
    case 'backend-in':
      return `${by} put ${printable(deed.backend, 300)} back into service`
    case 'act':
      if (deed.messages === 0) return undefined
      return `${counted(deed.messages, 'held message')} ${acts[deed.act]} by ${by}`
    case 'resume':
      if (deed.backends.length === 0) return undefined
      return `${by} let the drain go on to ${printable(deed.backends.join(', '), 300)}`
    case 'reload':
      return `${by} loaded waypost.yaml again`
    case 'apply':
      return `${by} changed ${counted(deed.changes, 'record set')} of ${printable(deed.zone, 300)} with "waypost apply"`
    case 'migrate':
      return moveText(deed.move, printable(deed.domain, 300), by)
  }
}

function moveText(move: Move, domain: string, by: string): string {
  switch (move.kind) {
    case 'begun':
      return `${by} began to migrate ${domain} to ${printable(move.to, 300)}`
    case 'step':
      return `${by} did a step of the migration of ${domain}: ${printable(move.step, 500)}`
    case 'turned-back':
      return `${by} turned the migration of ${domain} back`
    case 'ended-unwritten':
      return `${by} ended the migration of ${domain} before anything of it was written`
    case 'forgotten':
      return `${by} had the migration of ${domain} forgotten, and left DNS as it was`
  }
}

const counted = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
