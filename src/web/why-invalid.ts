/**
 * What is wrong with what was asked, in a sentence: which parameter, what came, and what it may be. The limits are read from the shape that refused it, so
 * that they are said once. For `site`.
 */
import { z } from '@hono/zod-openapi'
import { nearest } from '../base/nearest.ts'
import { printable } from '../base/printable.ts'

/** @param given  what the shape refused, as it came: texts of a query, or a body as JSON */
export function whyInvalid(shape: z.ZodType, given: unknown, { issues: [issue] }: z.ZodError): string {
  const path = issue?.path.map(String) ?? []
  const described = path.reduce<Described | undefined>(part, describe(shape))
  if (issue?.code === 'unrecognized_keys') return unknownName(issue.keys[0] ?? '', described)
  const value = path.reduce<unknown>(valueIn, given)
  if (path.length === 0)
    return `the request ${value === undefined ? 'is no JSON' : 'is not as it should be'}: /api/openapi.json says how it has to be`
  const came = value === undefined ? 'is missing' : `is ${valueText(value)}`
  // Of a text that has a form, its shape says in words which.
  const isInWords = issue?.code === 'invalid_format' || issue?.code === 'custom'
  const allowed = isInWords ? issue.message : described && allowedText(described)
  return `${printable(path.join('.'), 100)} ${came}: it has to be ${allowed ?? 'as /api/openapi.json says'}`
}

const valueText = (value: unknown) =>
  typeof value === 'string' ? `"${printable(value, 80)}"` : printable(JSON.stringify(value), 80)

function unknownName(name: string, described: Described | undefined): string {
  const names = Object.keys(described?.properties ?? {})
  const near = nearest(name, names)
  return `there is no "${printable(name, 100)}" here${near === undefined ? `; there are ${names.join(', ')}` : `, but there is "${near}"`}`
}

/** What is used here of JSON Schema. */
interface Described {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly properties?: Readonly<Record<string, Described>>
  readonly items?: Described
}

const describe = (shape: z.ZodType): Described => z.toJSONSchema(shape, { unrepresentable: 'any' }) as Described

const part = (described: Described | undefined, name: string): Described | undefined =>
  described?.properties?.[name] ?? described?.items

const valueIn = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

function allowedText({
  type,
  minimum,
  maximum,
  minLength,
  maxLength,
  maxItems,
  ...rest
}: Described): string | undefined {
  if (rest.enum) return `one of ${rest.enum.join(', ')}`
  switch (type) {
    case 'integer':
      return `a whole number${rangeText(minimum, maximum)}`
    case 'number':
      return `a number${rangeText(minimum, maximum)}`
    case 'string':
      return maxLength === undefined
        ? 'a text'
        : `a text of ${minLength ? `${minLength} to` : 'at most'} ${maxLength} characters`
    case 'boolean':
      return 'true or false'
    case 'array':
      return maxItems === undefined ? 'a list' : `a list of at most ${maxItems}`
    default:
      return undefined
  }
}

/** The ends of what a number can hold are no limits that somebody meant. */
function rangeText(minimum: number | undefined, maximum: number | undefined): string {
  const least = minimum !== undefined && Number.isSafeInteger(minimum - 1) ? minimum : undefined
  const most = maximum !== undefined && Number.isSafeInteger(maximum + 1) ? maximum : undefined
  if (least === undefined) return most === undefined ? '' : ` of at most ${most}`
  return most === undefined ? `, ${least} or more` : ` from ${least} to ${most}`
}
