/**
 * Lists of recipients: a local part in waypost.yaml, and files with one a line. Called by `domains.ts`.
 */
import type { Read } from '../base/option.ts'
import type { HostName } from '../dns/name.ts'
import { parseMailbox } from '../mail/address.ts'
import type { ConfigFiles } from './files.ts'
import { createSource, type Problem } from './source.ts'

/** Reads `info` or `info@example.com`. @returns the local part in lower case */
export function readRecipient(text: string, domain: HostName): Read<string> {
  const whole = parseMailbox(text.includes('@') ? text : `${text}@${domain}`)
  if (whole.kind === 'invalid') {
    // Of "a b" nobody wants to hear that there is no "@" behind it.
    const isOdd = !text.includes('@') && /[^!-~]|[(),:;<>[\\\]]/.test(text)
    const why = isOdd ? 'has characters that stand within double quotes alone' : whole.why
    return { kind: 'no', why: `is no local part, such as "info": it ${why}` }
  }
  if (whole.mailbox.domain !== domain)
    return { kind: 'no', why: `is not in ${domain}: recipients are local parts, such as "${localPartOf(text)}"` }
  // These are refused before the list is asked: a backend that trusts us would relay them on.
  if (/[@%!]/.test(whole.mailbox.localPart))
    return {
      kind: 'no',
      why: 'has "@", "%" or "!" in its local part: such an address is taken only where it stands under "addresses:"',
    }
  return { kind: 'value', value: whole.mailbox.localPart.toLowerCase() }
}

const localPartOf = (address: string) => address.slice(0, address.lastIndexOf('@')) || 'info'

export type ReadRecipientFile =
  | { readonly kind: 'read'; readonly locals: readonly string[] }
  | { readonly kind: 'unreadable'; readonly path: string; readonly why: string }
  /** Its lines were complained about. */
  | { readonly kind: 'wrong' }

export interface RecipientFiles {
  /** @param folder  what the path is relative to; undefined: the folder of the main file */
  read(path: string, folder: string | undefined, domain: HostName): Promise<ReadRecipientFile>
}

export function createRecipientFiles(files: ConfigFiles, mainFolder: string, problems: Problem[]): RecipientFiles {
  return {
    async read(path, folder, domain) {
      const opened = await files.read(files.resolve(folder ?? mainFolder, path))
      if (opened.kind === 'unreadable') return opened
      const source = createSource(opened.path, opened.text)
      const locals = new Set<string>()
      let isWrong = false
      let start = 0
      for (const line of opened.text.split('\n')) {
        const written = line.replace(/#.*$/, '').trim()
        if (written !== '') {
          const read = readRecipient(written, domain)
          if (read.kind === 'value') locals.add(read.value)
          else {
            isWrong = true
            const at = start + line.indexOf(written)
            problems.push(source.problem(at, at + written.length, `"${written}" ${read.why}`))
          }
        }
        start += line.length + 1
      }
      return isWrong ? { kind: 'wrong' } : { kind: 'read', locals: [...locals] }
    },
  }
}
