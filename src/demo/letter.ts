/**
 * What the demo's sender writes, and how its mailboxes know it again: a short message with its number in a header field (RFC 5322 §2.2), under the
 * name of this run, so that a message of anybody else is never taken for one.
 */

export interface Letter {
  readonly from: string
  readonly to: string
  readonly bytes: Buffer
}

/** Of the domain whose mail the demo takes. */
export const people = ['anna', 'ben', 'carla'] as const

const senders = ['shop@store.example', 'mira@friends.example', 'office@school.example', 'news@paper.example']
const subjects = ['Your parcel is on its way', 'Lunch on Friday?', 'Minutes of the meeting', 'The news of today']
const field = 'X-Demo-Message'

/** @param nowMs  wall clock */
export function writeLetter(id: number, run: string, domain: string, nowMs: number): Letter {
  const from = senders[id % senders.length] ?? ''
  const to = `${people[id % people.length]}@${domain}`
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subjects[id % subjects.length]} (${id + 1})`,
    `Date: ${new Date(nowMs).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${run}.${id}@demo.example>`,
    `${field}: ${run} ${id}`,
    '',
    'This message was written by "waypost demo". It has never left this machine.',
    '',
  ]
  return { from, to, bytes: Buffer.from(lines.join('\r\n'), 'latin1') }
}

/** The number of a message of this run; undefined of any other. @param head  how the message begins, as far as it was kept */
export function readNumber(head: string, run: string): number | undefined {
  const end = head.indexOf('\r\n\r\n')
  const found = /^X-Demo-Message: ([0-9a-f]{1,32}) (\d{1,9})$/m.exec(
    (end < 0 ? head : head.slice(0, end)).replaceAll('\r', ''),
  )
  return found?.[1] === run ? Number(found[2]) : undefined
}
