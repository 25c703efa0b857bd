/**
 * What zod found → problems with a place, what is allowed there, and the key or word that was probably meant.
 */
import type { z } from 'zod'
import { didYouMean, meantBy } from '../base/nearest.ts'
import { type JsonSchema, schemasAt } from './schema.ts'
import type { Problem, Source } from './source.ts'
import { keyPlaceOf, nodeAt, placeOf, renameKey, type YamlNode } from './yaml.ts'

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
  return leavesOf(issues, []).flatMap(({ issue, inner }) => {
    const path = [...checked.path, ...inner]
    if (issue.code !== 'unrecognized_keys') return wrongValue(issue, path, checked)
    return issue.keys.flatMap((key) => tellKey(judgeKey(key, path, checked), key, path, checked))
  })
}

/**
 * The keys with a slip of the pen, told, each of which now stands in the tree as the key that was meant: so it leads to no other complaint, and hides none.
 * Whoever calls this holds the value against its schema once more.
 */
export function mendMisspelt(issues: readonly Issue[], checked: Checked): Problem[] {
  return leavesOf(issues, []).flatMap(({ issue, inner }) => {
    const path = [...checked.path, ...inner]
    const node = nodeAt(checked.root, path)
    if (issue.code !== 'unrecognized_keys' || node?.kind !== 'map') return []
    return issue.keys.flatMap((key) => {
      const judged = judgeKey(key, path, checked)
      if (judged.meant === undefined || node.entries.has(judged.meant)) return []
      const told = tellKey(judged, key, path, checked)
      renameKey(node, key, judged.meant)
      return told
    })
  })
}

interface Leaf {
  readonly issue: Issue
  /** From the value that was checked. */
  readonly inner: readonly PropertyKey[]
}

/** What is wrong, where one of several kinds of values was wanted: with the kind that was written. */
function leavesOf(issues: readonly Issue[], above: readonly PropertyKey[]): Leaf[] {
  return issues.flatMap((issue) => {
    const inner = [...above, ...issue.path]
    const branch = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined
    return branch ? leavesOf(branch, inner) : [{ issue, inner }]
  })
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

interface UnknownKey {
  readonly why: string
  /** The known key that it is probably, as `why` says. */
  readonly meant?: string | undefined
}

function judgeKey(key: string, path: readonly PropertyKey[], { root, schema }: Checked): UnknownKey {
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`
  if (key === '<<')
    return {
      why: `${where}; YAML's merge keys are not read: write the keys out, or what all domains share under defaults:`,
    }
  const ofBackend = isDomain(path) ? backendKeys(schema()).find((name) => isWordFor(name, key)) : undefined
  if (ofBackend !== undefined && ofBackend !== 'to')
    return { why: `${where}; it may stand beside "to:" in a backend: deliver: [{ to: …, ${ofBackend}: … }]` }
  const elsewhere = placesOf(key, schema())
  const mayBeMeant = path.length < 2 || isDomain(path)
  if (mayBeMeant && elsewhere.length > 0 && elsewhere.length <= 3)
    return { why: `${where || ' here'}; it stands ${alternativesText(elsewhere)}` }
  const known = schemasAt(schema(), path)
    .filter((part) => isOfKind(part, valueAt(root, path)))
    .flatMap((part) => Object.keys(part.properties ?? {}))
  const [, name = '', value = ''] = /^([^:]+):(.+)$/.exec(key) ?? []
  if (known.includes(name)) return { why: `${where}; a space is missing: write "${name}: ${value}"` }
  if (key === 'port' && known.includes('to')) return { why: `${where}; the port stands in to: smtp://host:port` }
  const word = known.find((name) => isWordFor(name, key))
  const guess = word === undefined ? didYouMean(key, known) : `; did you mean "${word}"?`
  return { why: `${where}${guess === '' ? ';' : guess} Known: ${known.join(', ')}`, meant: word ?? meantBy(key, known) }
}

/** What people call a key who come from elsewhere, and no slip of the pen leads from it to ours. */
const otherWords: Readonly<Record<string, readonly string[]>> = {
  to: ['host', 'server', 'address', 'backend', 'target', 'url'],
  preference: ['priority', 'prio'],
  hash: ['token', 'password', 'secret'],
  deliver: ['to', 'backend', 'backends', 'server', 'servers', 'route', 'relay', 'transport', 'forward'],
}

const isWordFor = (name: string, key: string) => name === key || otherWords[name]?.includes(key.toLowerCase()) === true

function tellKey({ why }: UnknownKey, key: string, path: readonly PropertyKey[], { source, root }: Checked): Problem[] {
  const { start, end } = keyPlaceOf(root, [...path, key])
  return source.isNew(start, end, key) ? [source.problem(start, end, `unknown key "${key}"${why}`)] : []
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

function wrongValue(issue: Issue, path: readonly PropertyKey[], { source, root, schema }: Checked): Problem[] {
  const place = placeOf(root, path)
  const node = nodeAt(root, path)
  if (node?.kind === 'scalar' && node.isTold) return []
  const last = path.at(-1)
  const told = (message: string) =>
    source.isNew(place.start, place.end, `${String(last)} ${issue.message}`)
      ? [source.problem(place.start, place.end, message)]
      : []
  const found = valueAt(root, path)
  if (found === undefined && typeof last === 'string') {
    const says = schemasAt(schema(), path)[0]
    const where = path.length > 1 ? ` in ${pathText(path.slice(0, -1))}` : ''
    const wants = says?.wants === undefined ? '' : ` It wants ${says.wants}`
    return told(`"${last}" is missing${where}: ${says?.description ?? issue.message}${wants}`)
  }
  const guess = typeof found === 'string' ? meantText(found, schemasAt(schema(), path)) : ''
  const name = last === undefined ? '' : `${pathText(path)} `
  return told(`${name}wants ${issue.message}${guess}${foundText(found, issue)}`)
}

/** What a text was probably meant to be: another word, or a key with its value. */
function meantText(found: string, parts: readonly JsonSchema[]): string {
  const [, key = '', value = ''] = /^(\w+) +(.+)$/.exec(found) ?? []
  if (parts.some(({ properties }) => properties && Object.hasOwn(properties, key)))
    return `; a colon is missing: write "${key}: ${value}"`
  return didYouMean(
    found,
    parts.flatMap((part) => (part.enum ?? []).map(String)),
  )
}

/** What stands there, where the marked line does not show it by itself. */
function foundText(found: unknown, issue: Issue): string {
  if (found === null) return '; there is nothing here'
  if ((issue.code === 'invalid_type' || issue.code === 'invalid_union') && Array.isArray(found))
    return '; this is a list'
  if (issue.code === 'invalid_type' && typeof found === 'object') return '; these are keys with values'
  return ''
}

/** The plain value at `path`; undefined where there is none. */
export function valueAt(root: YamlNode, path: readonly PropertyKey[]): unknown {
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
