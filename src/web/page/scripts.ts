/**
 * Our scripts and our style as they stand in the pages, and the parts of the script that pages ask for later. A page is one answer, which is drawn as soon as it is
 * there: each further request would wait its turn behind the mail. The policy of a page names what stands in it by its hash (CSP 3 §2.3.1), so nothing else runs.
 * Types are stripped in a checkout, `tsc` did it in the package. Read once, on the first demand.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { joinPage, joinPart } from './join.ts'

/** What stands in a page, and what its policy says of it: `sha256-…`. */
export interface Inline {
  readonly text: string
  readonly hash: string
}

/** Of `browser/`: they run at once, in the pages and on the way in. */
export type Entry = 'app' | 'enter'

/** What `browser/` imports late; `join.test.ts` sees to it that all of them stand here. */
export const parts = [
  'overview-page',
  'domain-page',
  'queue-page',
  'message-page',
  'check-page',
  'history-page',
  'charts',
] as const
export type Part = (typeof parts)[number]

export const partFolder = '/assets/'

/** `.ts` from a checkout, `.js` from the package: whatever this file is. */
const scriptEnd = import.meta.url.slice(-3)

export const beside = (name: string): Promise<string> =>
  readFile(new URL(`../browser/${name}`, import.meta.url), 'utf8')

async function read(name: string): Promise<string> {
  const text = await beside(`${name}${scriptEnd}`)
  return scriptEnd === '.ts' ? stripTypeScriptTypes(text, { mode: 'strip' }) : text
}

export const partScript = (name: Part): Promise<string> => joinPart('app', name, read)

export interface Inlines {
  /** @param first  what the page shows first */
  script(entry: Entry, first?: Part): Promise<Inline>
  style(): Promise<Inline>
  icon(): Promise<string>
}

export function createInlines(): Inlines {
  const kept = new Map<string, Promise<Inline>>()

  function keep(key: string, make: () => Promise<string>): Promise<Inline> {
    const found = kept.get(key)
    if (found) return found
    const made = make().then((text) => ({ text, hash: `sha256-${createHash('sha256').update(text).digest('base64')}` }))
    kept.set(key, made)
    // What could not be read may be read the next time.
    made.catch(() => kept.delete(key))
    return made
  }

  return {
    script: (entry, first) =>
      keep(`${entry} ${first ?? ''}`, () => joinPage(entry, first ? [first] : [], partFolder, read)),
    style: () => keep('style', () => beside('style.css')),
    icon: async () => (await keep('icon', () => beside('icon.svg'))).text,
  }
}
