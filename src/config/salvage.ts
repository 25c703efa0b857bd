/**
 * What is right in a part of which something is wrong, so that what is looked at behind the schema finds the other mistakes, too. Called where a part was
 * held against its schema in vain (`domains.ts`, `read.ts`, `whole.ts`); what comes of it is never used but for complaints.
 */
import type { z } from 'zod'
import { type BackendEntry, backendEntry } from '../routing/options.ts'

/**
 * @param value  an object that the schema refuses
 * @param issues  what it says of it
 * @param below  keys whose value is taken apart in turn, instead of being left out whole
 * @returns the same without the keys in which something is wrong, unknown ones among them
 */
export function withoutWrong(
  value: Readonly<Record<string, unknown>>,
  issues: readonly z.core.$ZodIssue[],
  below: readonly string[] = [],
): Record<string, unknown> {
  const rest = { ...value }
  for (const issue of issues) {
    const [key, inner] = issue.path
    if (issue.code === 'unrecognized_keys' && key === undefined) for (const unknown of issue.keys) delete rest[unknown]
    if (typeof key !== 'string') continue
    const part = rest[key]
    if (below.includes(key) && isTable(part) && (inner !== undefined || issue.code === 'unrecognized_keys')) {
      rest[key] = withoutWrong(part, [{ ...issue, path: issue.path.slice(1) }])
    } else delete rest[key]
  }
  return rest
}

/** Of a list of backends that the schema refuses: what is right in each of its places; undefined where that is nothing. None where it is no list. */
export function rightBackends(value: unknown): readonly (BackendEntry | undefined)[] {
  return Array.isArray(value) ? value.map(rightBackend) : []
}

function rightBackend(element: unknown): BackendEntry | undefined {
  const said = typeof element === 'string' ? { to: element } : element
  if (!isTable(said)) return undefined
  const read = backendEntry.safeParse(said)
  if (read.success) return read.data
  const right = backendEntry.safeParse(withoutWrong(said, read.error.issues)).data
  // Another word than "require" was told, and what smtps:// wants would say it again.
  const isTlsWrong = right?.tls === undefined && said.tls !== undefined && right?.to.startsWith('smtps:')
  return right && isTlsWrong ? { ...right, tls: 'require' } : right
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
