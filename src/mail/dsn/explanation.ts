/**
 * The part of a notification that people read (RFC 6522 §3): what happened, to whom, and what they can do. Plain text, called by `write.ts`.
 */
import { printable } from '../../base/printable.ts'
import { readOriginalRecipient } from '../dsn-request.ts'
import { mailDate } from '../trace.ts'
import { hostText, replyLines } from './fields.ts'
import type { DsnRecipient, DsnReport } from './report.ts'
import type { DsnAction } from './status.ts'
import { type DsnStatus, statusFor } from './status.ts'
import { decodeUnitext } from './unitext.ts'

/** The worst first: for people, and for programs that look at the first alone. */
export const order: readonly DsnAction[] = ['failed', 'delayed', 'relayed', 'delivered']

export const subjects: Readonly<Record<DsnAction, string>> = {
  failed: 'Undelivered: your message could not be delivered',
  delayed: 'Delayed: your message has not been delivered yet',
  relayed: 'Relayed: your message has been handed on',
  delivered: 'Delivered: your message has arrived',
}

/** @param returned  what of the message is given back beside it */
export function explain(
  report: DsnReport,
  recipients: readonly DsnRecipient[],
  returned: 'message' | 'header',
): string {
  const sections = order.flatMap((action) => {
    const told = recipients.filter((recipient) => recipient.action === action)
    if (told.length === 0) return []
    return [wrapped(openings[action](told.length === 1 ? 'address' : 'addresses')), ...told.map(aboutRecipient)]
  })
  const paragraphs = [
    `This is the mail server ${report.hostname}.`,
    ...sections,
    wrapped(
      `Your message came here on ${mailDate(report.arrivedMs)}; our log calls it ${report.messageId}. ` +
        `If you want help, write to postmaster@${report.hostname} and send this notice along.`,
    ),
    wrapped(
      `Attached are the details, for programs, and ${returned === 'message' ? 'your message' : 'the header of your message'}.`,
    ),
  ]
  return paragraphs.map((paragraph) => `${paragraph}\r\n`).join('\r\n')
}

const openings: Readonly<Record<DsnAction, (address: string) => string>> = {
  failed: (address) =>
    `We are sorry: your message could not be delivered to the ${address} below. It is not tried again; ` +
    'to have it arrive, it has to be sent once more.',
  delayed: (address) =>
    `Your message has not been delivered to the ${address} below yet. It is kept safe here and tried again and again. ` +
    'You need not do anything; please do not send it once more.',
  relayed: (address) =>
    `Your message for the ${address} below has been handed to the next server, which does not tell when mail arrives. ` +
    'You will hear no more of it from here.',
  delivered: (address) => `Your message has been put into the mailbox of the ${address} below.`,
}

function aboutRecipient(told: DsnRecipient): string {
  const { recipient, action, remote } = told
  const lines = [`    ${printable(recipient.text)}`, ...writtenAs(told)]
  if (remote) {
    lines.push(`      ${hostText(remote.host)} said:`)
    for (const line of replyLines(remote.reply)) lines.push(wrapped(line, '        '))
  }
  if (action === 'failed') {
    const status = statusFor(action, told.status)
    if (status.startsWith('4')) lines.push(wrapped('We have tried until the time for it was over.', '      '))
    lines.push(wrapped(`What you can do: ${remedy(status)}`, '      '))
  }
  if (action === 'delayed' && told.willRetryUntilMs !== undefined)
    lines.push(`      It will be tried until ${mailDate(told.willRetryUntilMs)}.`)
  return lines.join('\r\n')
}

/** The address that the sender wrote, where it is another than the one that the message came here for. */
function writtenAs({ recipient }: DsnRecipient): readonly string[] {
  if (recipient.originalRecipient === undefined) return []
  const { type, address } = readOriginalRecipient(recipient.originalRecipient)
  const isUtf8 = type.toLowerCase() === 'utf-8'
  if (!isUtf8 && type.toLowerCase() !== 'rfc822') return []
  const written = printable(isUtf8 ? decodeUnitext(address) : address)
  return written === recipient.text ? [] : [`      (you wrote ${written})`]
}

/** By RFC 3463 §3: the subject says whom it concerns, the detail what it is. */
function remedy(status: DsnStatus): string {
  const [kind, subject, detail] = status.split('.')
  switch (`${subject}.${detail}`) {
    case '2.2':
      return 'the mailbox is full; try again in a few days, or reach the recipient in another way.'
    case '2.3':
    case '3.4':
      return 'the message is too large; send a smaller one, or a link to what is in it.'
    case '7.1':
      return 'the server does not take this message; what it said may tell why. The recipient or its postmaster can allow it.'
  }
  switch (subject) {
    case '1':
      return 'look for a slip in the address, and ask the recipient in another way whether it is still the right one.'
    case '2':
      return 'the mailbox cannot be used as it is; reach the recipient in another way.'
    case '6':
      return 'the server cannot take what is in the message; send it in another form, such as plain text.'
    case '7':
      return 'the server does not take this message for reasons of its policy; what it said may tell why.'
  }
  if (kind === '4')
    return 'send it once more later, or reach the recipient in another way; its server could not take mail.'
  return 'what the server said may tell why. If it does not, ask the recipient in another way.'
}

const columns = 76

/** Lines of up to 76 characters, broken at blanks; a longer word stands alone. */
function wrapped(text: string, indent = ''): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, indent + line].join('\r\n')
}
