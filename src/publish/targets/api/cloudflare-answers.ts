/** What Cloudflare has answered, as it was asked for or as a failure. Pure; called by `cloudflare.ts` and `cloudflare-zone.ts`. */
import { z } from 'zod'
import { printable } from '../../../base/printable.ts'
import { nameText, type WireName } from '../../../dns/wire-name.ts'
import type { TargetFailure } from '../target.ts'
import type { ApiAnswer } from './api-client.ts'

const complaint = z.object({ errors: z.array(z.object({ code: z.number(), message: z.string() })) })

/** @returns undefined where it is something else, or no success */
export function readResult<Schema extends z.ZodType>(answer: ApiAnswer, schema: Schema): z.output<Schema> | undefined {
  if (answer.kind === 'failed' || answer.status !== 200) return undefined
  const parsed = schema.safeParse(readJson(answer.body))
  return parsed.success ? parsed.data : undefined
}

/** @param said  how it has said so */
export function noSuchZone(at: string, zone: WireName, said: string): TargetFailure {
  return {
    kind: 'no-such-zone',
    why: `${at} does not have the zone ${nameText(zone)} (${said})`,
    remedy:
      'Name the zone that the domain lies in by "zone:" under the publisher; the token must be allowed to read it.',
  }
}

/** @param at  where it was asked, in words */
export function failureOf(answer: ApiAnswer, at: string, zone: WireName): TargetFailure {
  if (answer.kind === 'failed')
    return { kind: 'unreachable', why: `${at} does not answer: ${answer.why}`, remedy: 'Try again later.' }
  const parsed = complaint.safeParse(readJson(answer.body))
  const errors = parsed.success
    ? parsed.data.errors.map(({ code, message }) => `${code} ${printable(message, 200)}`).join('; ')
    : ''
  const said = `HTTP ${answer.status}${errors === '' ? '' : `: ${errors}`}`
  if (answer.status === 401 || answer.status === 403)
    return {
      kind: 'refused',
      why: `${at} does not take the token (${said})`,
      remedy: 'Make one with the permission "Zone / DNS / Edit" for this zone, and "Zone / Zone / Read".',
    }
  if (answer.status === 404) return noSuchZone(at, zone, said)
  if (answer.status === 429)
    return { kind: 'unreachable', why: `${at} asks to come again later (${said})`, remedy: 'Wait some minutes.' }
  if (answer.status === 200)
    return { kind: 'unusable', why: `${at} answers with something else than it is documented to (${said})` }
  return { kind: 'refused', why: `${at} said no (${said})` }
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
