/**
 * What zod found → problems with a place, what is allowed there, and the key or word that was probably meant.
 */
import type { z } from 'zod'
import { didYouMean } from '../base/nearest.ts'
import { type JsonSchema, schemasAt } from './schema.ts'
import type { Problem, Source } from './source.ts'
import { keyPlaceOf, placeOf, type YamlNode } from './yaml.ts'

/** A value of the file: where it stands, and which part of the schema it was held against. */
export interface Checked {
  readonly source: Source
  readonly root: YamlNode
  /** From the root to the value that was checked. */
  readonly path: readonly PropertyKey[]
  /** The JSON Schema of the whole file. */
  readonly schema: () => JsonSchema
}

type Issue = z.core.$ZodIssue

export function explainIssues(issues: readonly Issue[], checked: Checked): Problem[] {
  return issues.flatMap((issue) => explain(issue, [], checked))
}

function explain(issue: Issue, above: readonly PropertyKey[], checked: Checked): Problem[] {
  const inner = [...above, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, inner, checked))
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue.errors)
    if (branch) return branch.flatMap((deeper) => explain(deeper, inner, checked))
  }
  return [wrongValue(issue, [...checked.path, ...inner], checked)]
}

/** The one alternative whose kind of value was written (text, list or keys), if it is one. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const right = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && isOfOtherKind(issue)))
  return right.length === 1 ? right[0] : undefined
}

const isOfOtherKind = (issue: Issue) =>
  issue.code === 'invalid_type' ||
  issue.code === 'invalid_value' ||
  (issue.code === 'invalid_union' && meantBranch(issue.errors) === undefined)

function unknownKey(key: string, inner: readonly PropertyKey[], { source, root, path, schema }: Checked): Problem {
  const full = [...path, ...inner]
  const known = schemasAt(schema(), full)
    .filter((part) => isOfKind(part, valueAt(root, full)))
    .flatMap((part) => Object.keys(part.properties ?? {}))
  const { start, end } = keyPlaceOf(root, [...full, key])
  const where = full.length === 0 ? '' : ` in ${pathText(full)}`
  if (isDomain(full) && backendKeys(schema()).includes(key))
    return source.problem(
      start,
      end,
      `unknown key "${key}"${where}; it may stand beside "to:" in a backend: deliver: [{ to: …, ${key}: … }]`,
    )
  const elsewhere = placesOf(key, schema())
  if (elsewhere.length > 0 && elsewhere.length <= 3)
    return source.problem(
      start,
      end,
      `unknown key "${key}"${where || ' here'}; it stands ${alternativesText(elsewhere)}`,
    )
  const guess = didYouMean(key, known)
  return source.problem(
    start,
    end,
    `unknown key "${key}"${where}${guess === '' ? ';' : guess} Known: ${known.join(', ')}`,
  )
}

const isDomain = (path: readonly PropertyKey[]) => path.length === 2 && path[0] === 'domains'

const backendKeys = (root: JsonSchema) =>
  schemasAt(root, ['domains', 'example.com', 'deliver', 0]).flatMap((part) => Object.keys(part.properties ?? {}))

/** Where else people know this very key from: the top, a section, a domain. */
function placesOf(key: string, root: JsonSchema): string[] {
  const has = (part: JsonSchema | undefined) => Object.hasOwn(part?.properties ?? {}, key)
  const sections = Object.entries(root.properties ?? {})
  const domain = schemasAt(root, ['domains', 'example.com'])[0]
  return [
    ...(has(root) ? ['at the top'] : []),
    ...(has(domain) ? ['under domains.<name>'] : []),
    ...sections.flatMap(([name, part]) => (has(part) ? [`under ${name}`] : [])),
  ]
}

/** `under a, b or c`. */
const alternativesText = (places: readonly string[]) =>
  places.reduce((text, place, index) => {
    if (index === 0) return place
    return `${text}${index === places.length - 1 ? ' or ' : ', '}${place.replace(/^under /, '')}`
  }, '')

/** Of several kinds of keys that a `type` tells apart, only those of the type that was written. */
function isOfKind(part: JsonSchema, found: unknown): boolean {
  const type = part.properties?.type?.enum
  const written = typeof found === 'object' && found !== null ? (found as Record<string, unknown>).type : undefined
  return type?.length !== 1 || type.includes(written)
}

function wrongValue(issue: Issue, path: readonly PropertyKey[], { source, root, schema }: Checked): Problem {
  const place = placeOf(root, path)
  const last = path.at(-1)
  const found = valueAt(root, path)
  if (found === undefined && typeof last === 'string') {
    const says = schemasAt(schema(), path)[0]
    return source.problem(place.start, place.end, `"${last}" is missing: ${says?.description ?? issue.message}`)
  }
  const guess = typeof found === 'string' ? didYouMean(found, wordsAt(schema(), path)) : ''
  const name = last === undefined ? '' : `${pathText(path)} `
  return source.problem(place.start, place.end, `${name}wants ${issue.message}${guess}${foundText(found, issue)}`)
}

const wordsAt = (schema: JsonSchema, path: readonly PropertyKey[]): string[] =>
  schemasAt(schema, path).flatMap((part) => (part.enum ?? []).map(String))

/** What stands there, where the marked line does not show it by itself. */
function foundText(found: unknown, issue: Issue): string {
  if (found === null) return '; there is nothing here'
  if (issue.code === 'invalid_type' && Array.isArray(found)) return '; this is a list'
  if (issue.code === 'invalid_type' && typeof found === 'object') return '; these are keys with values'
  return ''
}

function valueAt(root: YamlNode, path: readonly PropertyKey[]): unknown {
  let value: unknown = root.value
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}

/** `domains.example.org.deliver[0].to`, as people say it. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step + 1}]` : `${index ? '.' : ''}${String(step)}`))
    .join('')
}
