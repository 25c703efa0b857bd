/**
 * What is in order and probably not meant: a configuration with such works, and `waypost config check` says it with its place. Found by `domains.ts`
 * where a domain is read.
 */
import type { HostName } from '../dns/name.ts'
import type { Declaration } from '../publish/declare/declaration.ts'
import { splitAddressKey } from '../routing/find-destination.ts'

export interface RemarkDeps {
  /** What each publisher says that it is. */
  readonly publishers: ReadonlyMap<string, string | undefined>
  /** Whether there is a `listen.dns`. */
  readonly hasDns: boolean
}

/** A place below the domain, and what is odd there. */
export interface Remark {
  readonly at: 'exchangers' | 'publish'
  readonly why: string
}

/** Of one domain. @param takesMail  whether its mail is taken here */
export function remarksOn(declaration: Declaration, takesMail: boolean, { publishers, hasDns }: RemarkDeps): Remark[] {
  const { domain, exchangers, publisher } = declaration
  return [
    ...(exchangers === 'none' && takesMail ? [{ at: 'exchangers', why: noMailAndMail(domain) } as const] : []),
    ...(publisher !== undefined && publishers.get(publisher) === 'builtin' && !hasDns
      ? [{ at: 'publish', why: 'there is no built-in DNS server to publish at: listen.dns is not set' } as const]
      : []),
  ]
}

/** RFC 7505 tells senders not to come, and who came all the same is served. */
export const noMailAndMail = (domain: HostName) =>
  `"exchangers: none" tells senders that ${domain} takes no mail (RFC 7505), and Waypost takes its mail all the same, because of its "deliver:"`

/** Of a domain's name. RFC 5321 §2.3.5: one that is not written in full is a local alias at most. */
export const remarkOnName = (name: HostName): string | undefined =>
  name.includes('.')
    ? undefined
    : `${name} has no dot, and no mail of the world comes for such a name: write the whole one, such as ${name}.com`

/**
 * Of a key under `addresses:` that is taken by the letter, and looks like a pattern of another program.
 * @param written  such as `s*les@`, `/^sales/@`
 */
export function remarkOnAddress(written: string): string | undefined {
  const local = splitAddressKey(written)?.local ?? ''
  if (!/[*^?|]|^\/|\/$/.test(local) || local.startsWith('"')) return undefined
  return `"${written}" is no pattern: it means the local part that is written exactly so. Patterns are of the form "prefix*@" alone`
}
