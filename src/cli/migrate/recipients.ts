/** `waypost migrate --recipients`: addresses that the new exchangers must take before anything is begun. */
import { readFile } from 'node:fs/promises'
import { printable } from '../../base/printable.ts'
import type { HostName } from '../../dns/name.ts'
import { askRecipients, readRecipients } from '../../publish/ask-recipients.ts'
import type { RefusalRule } from '../../publish/consequences.ts'
import type { Exchanger } from '../../records/catalogue/provider.ts'
import type { Publishing } from '../publish/publishing.ts'

export interface RecipientFlags {
  /** A file with one address a line. */
  readonly recipients?: string
  readonly allow: ReadonlySet<RefusalRule>
}

const mostShown = 20

/** Why nothing is begun; undefined where they take all of them, or nobody wants to know. @param wanted  the new exchangers */
export async function whyUntaken(
  name: HostName,
  wanted: readonly Exchanger[],
  { recipients: file, allow }: RecipientFlags,
  { options, deps }: Publishing,
): Promise<{ readonly why: string; readonly remedy: string } | undefined> {
  if (file === undefined) return undefined
  const shown = printable(file, 300)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => ({ code: error.code ?? 'unknown' }))
  if (typeof text !== 'string')
    return { why: `${shown} cannot be read (${text.code})`, remedy: 'Name a file with one address a line.' }
  const read = readRecipients(text, name)
  if (read.kind === 'invalid') return { why: `${shown}: ${read.why}`, remedy: 'Name a file with one address a line.' }
  if (!options.asksSmtp)
    return { why: '--recipients asks by SMTP, and --no-smtp says not to', remedy: 'Leave out one of them.' }
  const asked = await askRecipients(
    wanted.map(({ host }) => host),
    read.addresses,
    options,
    deps,
  )
  const refused = asked.flatMap((each) =>
    each.refused.map(({ address, reply }) => `${each.host}: ${address}: ${reply}`),
  )
  if (refused.length > 0) {
    const more = refused.length > mostShown ? [`and ${refused.length - mostShown} more`] : []
    return {
      why: `nothing was begun: the new exchangers do not take all ${read.addresses.length} addresses\n  ${[...refused.slice(0, mostShown), ...more].join('\n  ')}`,
      remedy: 'Make these mailboxes there first.',
    }
  }
  const open = asked.find(({ unasked }) => unasked > 0)
  if (open === undefined || allow.has('unproven')) return undefined
  return {
    why: `nothing was begun: whether ${open.host} takes ${open.unasked} of the ${read.addresses.length} addresses could not be told: ${open.why ?? ''}`,
    remedy: 'Ask again later, or pass over that with --allow unproven.',
  }
}
