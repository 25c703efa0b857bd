/** The bytes of a message → what a person reads of it, bounded in every way. Pure but for the parser's own promise; run by `worker.ts`, beside the mail. */
import PostalMime, { type Address, type Attachment } from 'postal-mime'
import { printable, printableText } from '../../base/printable.ts'
import { safeHtml } from './safe-html.ts'

export interface MessageText {
  readonly subject: string
  readonly from: string
  readonly to: string
  readonly cc: string
  readonly date: string
  /** Undefined: it has only HTML, or nothing. */
  readonly text: string | undefined
  /** Safe by `safe-html.ts`. */
  readonly html: string | undefined
  readonly attachments: readonly { readonly name: string; readonly type: string; readonly octets: number }[]
  /** There is more of it than is shown. */
  readonly isPart: boolean
}

const limits = { maxNestingDepth: 30, maxHeadersSize: 512 * 1024, maxRfc822NestingDepth: 2 }
const mostText = 512 * 1024
const mostAttachments = 100

/** Rejects where it is too deep or too strange to be read. */
export async function readText(bytes: Uint8Array): Promise<MessageText> {
  const mail = await PostalMime.parse(bytes, limits)
  const { text, html, attachments } = mail
  return {
    subject: printable(mail.subject ?? '', 1000),
    from: addresses(mail.from ? [mail.from] : []),
    to: addresses(mail.to ?? []),
    cc: addresses(mail.cc ?? []),
    date: printable(mail.date ?? '', 100),
    // What it makes of HTML alone is no better than the HTML.
    text: text === undefined ? undefined : printableText(text.slice(0, mostText).replaceAll('\r\n', '\n')),
    html: html === undefined ? undefined : safeHtml(html.slice(0, mostText * 2)),
    attachments: attachments.slice(0, mostAttachments).map(attachment),
    isPart:
      (text?.length ?? 0) > mostText || (html?.length ?? 0) > mostText * 2 || attachments.length > mostAttachments,
  }
}

function attachment({ filename, mimeType, content }: Attachment) {
  const octets = typeof content === 'string' ? content.length : content.byteLength
  return { name: printable(filename ?? 'without a name', 200), type: printable(mimeType, 100), octets }
}

function addresses(list: readonly Address[]): string {
  const all = list.flatMap((one) => (one.group ? one.group : [one]))
  const shown = all.slice(0, 20).map(({ name, address = '' }) => (name ? `${name} <${address}>` : address))
  return printable(`${shown.join(', ')}${all.length > 20 ? ` and ${all.length - 20} more` : ''}`, 2000)
}
