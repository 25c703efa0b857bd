/** What Route 53 has answered, as far as it is no list of what was asked for. Pure; called by `route53.ts` and `route53-zone.ts`. */
import { printable } from '../../../base/printable.ts'
import { nameText, type WireName } from '../../../dns/wire-name.ts'
import type { TargetFailure } from '../target.ts'
import type { ApiAnswer } from './api-client.ts'
import { elementText } from './aws-xml.ts'

/** Of an answer that is one of those that were asked for. */
export const textOf = (answer: ApiAnswer): string | undefined =>
  answer.kind === 'answer' && answer.status === 200 ? answer.body.toString('utf8') : undefined

/** Too many requests, or another change of the zone is not through yet: neither was done. */
export const isBusy = (answer: Extract<ApiAnswer, { kind: 'answer' }>): boolean =>
  ['Throttling', 'ThrottlingException', 'PriorRequestNotComplete', 'SlowDown'].includes(errorCode(answer) ?? '')

export function errorCode(answer: ApiAnswer): string | undefined {
  if (answer.kind === 'failed' || answer.status === 200) return undefined
  const xml = answer.body.toString('utf8')
  return xml.includes('<InvalidChangeBatch') ? 'InvalidChangeBatch' : elementText(xml, 'Code')
}

/** @param said  how it has said so */
export function noSuchZone(at: string, zone: WireName, said: string): TargetFailure {
  return {
    kind: 'no-such-zone',
    why: `${at} does not have the zone ${nameText(zone)} (${said})`,
    remedy: 'Name the zone that the domain lies in by "zone:" under the publisher, or its id by "zoneId:".',
  }
}

/** @param at  where it was asked, in words */
export function failureOf(answer: ApiAnswer, at: string, zone: WireName): TargetFailure {
  if (answer.kind === 'failed') return { kind: 'unreachable', why: `${at} does not answer: ${answer.why}` }
  const code = errorCode(answer)
  const message = elementText(answer.body.toString('utf8'), 'Message')
  const said = [`HTTP ${answer.status}`, code, message && printable(message, 300)].filter(Boolean).join(': ')
  if (code === 'NoSuchHostedZone') return noSuchZone(at, zone, said)
  if (code === 'SignatureDoesNotMatch' || code === 'InvalidClientTokenId' || code === 'ExpiredToken')
    return {
      kind: 'refused',
      why: `${at} does not take the key (${said})`,
      remedy: 'Compare the access key, and the clock of this machine.',
    }
  if (answer.status === 401 || answer.status === 403)
    return {
      kind: 'refused',
      why: `${at} does not allow it (${said})`,
      remedy:
        'The key needs route53:ListHostedZonesByName, route53:ListResourceRecordSets, route53:ChangeResourceRecordSets and route53:GetChange.',
    }
  if (isBusy(answer))
    return { kind: 'unreachable', why: `${at} asks to come again later (${said})`, remedy: 'Wait a minute.' }
  return { kind: 'refused', why: `${at} said no (${said})` }
}
