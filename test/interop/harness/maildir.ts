/** What other servers have delivered: files in Maildirs and mboxes, read back as octets. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The messages under `folder/new`, in no particular order; none where the folder does not exist yet. */
export async function readMaildir(folder: string): Promise<Buffer[]> {
  const inbox = join(folder, 'new')
  const names = await readdir(inbox).catch(() => [])
  return Promise.all(names.map((name) => readFile(join(inbox, name))))
}

export async function countMaildir(folder: string): Promise<number> {
  return (await readdir(join(folder, 'new')).catch(() => [])).length
}

/**
 * What stands behind the gateway's `Received:` field in a delivered message: what the sender sent, and nothing else, is due there.
 * @param by  the gateway's name
 */
export function behindTrace(delivered: Buffer, by = 'mx.waypost.test'): Buffer {
  const text = delivered.toString('latin1')
  // The field may be folded; it ends where a line does not begin with a blank.
  const field = new RegExp(
    `^Received: (?:[^\\r\\n]|\\r?\\n[ \\t])*?\\bby ${by.replaceAll('.', '\\.')}\\b(?:[^\\r\\n]|\\r?\\n[ \\t])*\\r?\\n`,
    'm',
  )
  const found = field.exec(text)
  if (!found) throw new Error(`no Received field by ${by} in:\n${text.slice(0, 2000)}`)
  return delivered.subarray(found.index + found[0].length)
}

/** A Maildir holds lines that end in LF. */
export const withLf = (message: Buffer): Buffer =>
  Buffer.from(message.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
