/**
 * A value of a file, held against its schema: what is wrong is told, and a misspelt key is read as what was meant. Called by `read.ts`, `domains.ts`,
 * `whole.ts` and `include.ts`.
 */
import type { z } from 'zod'
import { type Checked, explainIssues, mendMisspelt } from './explain.ts'
import type { Problem } from './source.ts'

export type HeldAgainst<Value> =
  | { readonly kind: 'read'; readonly value: Value }
  | { readonly kind: 'wrong'; readonly issues: readonly z.core.$ZodIssue[] }

/**
 * @param readValue  takes the value from the tree: a second time once keys were mended there
 * @returns `read` also where a misspelt key was all that was told
 */
export function holdAgainst<Schema extends z.ZodType>(
  schema: Schema,
  readValue: () => unknown,
  checked: Checked,
  problems: Problem[],
): HeldAgainst<z.output<Schema>> {
  const first = schema.safeParse(readValue())
  if (first.success) return { kind: 'read', value: first.data }
  const misspelt = mendMisspelt(first.error.issues, checked)
  problems.push(...misspelt)
  const result = misspelt.length === 0 ? first : schema.safeParse(readValue())
  if (result.success) return { kind: 'read', value: result.data }
  const { issues } = result.error
  problems.push(...explainIssues(issues, checked))
  return { kind: 'wrong', issues }
}
