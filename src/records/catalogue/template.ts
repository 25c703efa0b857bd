/**
 * Host names with parts that differ between accounts, such as `mxa-<customer>.gslb.pphosted.com`: read from the catalogue, recognised in a
 * live host, filled in for a new one. Used by `parse.ts`, `host-index.ts` and `records-for.ts`.
 */
import { type HostName, parseName } from '../../dns/name.ts'

/** What stands for a `<name>`, as text in canonical form. */
export type Bindings = Readonly<Record<string, string>>

/** What may stand for a `<name>`: one of a few values, or anything of a shape. */
export type Parameter = {
  /** The question to a person; without it the value is found in a host that the provider's panel shows. */
  readonly ask: string | undefined
  readonly example: string
} & (
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'shape'; readonly shape: ShapeName }
)

export type Parameters = Readonly<Record<string, Parameter>>

/** What a parameter without fixed values may look like; hosts are canonical, so there are no capitals. */
export const shapes = {
  number: { pattern: '[0-9]+', says: 'digits' },
  hex: { pattern: '[0-9a-f]+', says: 'hexadecimal digits' },
  word: { pattern: '[a-z0-9]+', says: 'letters and digits' },
  label: { pattern: '[a-z0-9_-]+', says: 'letters, digits and hyphens' },
  region: { pattern: '[a-z]{2}(?:-[a-z]+)+-[0-9]+', says: 'a cloud region such as eu-west-1' },
  name: { pattern: '[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*', says: 'a name, with dots or without' },
} as const

export type ShapeName = keyof typeof shapes

/** One host, or all the hosts that differ in the parts before `suffix`. */
export interface HostTemplate {
  /** The whole host where nothing differs, else the labels behind the last part that does. */
  readonly suffix: HostName
  /** What stands before the suffix, with its dot; undefined where nothing differs. */
  readonly head: RegExp | undefined
  /** Labels of the head, 0 where there is none; undefined where a name with dots stands in it. */
  readonly headLabels: number | undefined
  /** The names that `head` captures, in order. */
  readonly captures: readonly string[]
  /** What is settled already, where this is one of several templates that a list of values has made. */
  readonly settled: Bindings
}

export type ParsedTemplate =
  | { readonly kind: 'templates'; readonly templates: readonly HostTemplate[] }
  | { readonly kind: 'invalid'; readonly why: string }

/** Whether `value` may stand for the parameter. */
export function isAllowed(parameter: Parameter, value: string): boolean {
  if (parameter.kind === 'values') return parameter.values.includes(value)
  return new RegExp(`^${shapes[parameter.shape].pattern}$`).test(value)
}

/** The names in `<…>`, in order; in text of the catalogue alone. */
export function placeholders(text: string): readonly string[] {
  return [...text.matchAll(placeholder)].map((match) => match[1] ?? '')
}

/**
 * Puts values for the names. `<x-without-dashes>` is the value of `x` without its dashes.
 * @returns undefined where one of the names has no value
 */
export function fill(text: string, bindings: Bindings): string | undefined {
  let whole = true
  const filled = text.replaceAll(placeholder, (_, name: string) => {
    const plain = name.endsWith(dashless) ? bindings[name.slice(0, -dashless.length)]?.replaceAll('-', '') : undefined
    const value = plain ?? bindings[name]
    whole &&= value !== undefined
    return value ?? ''
  })
  return whole ? filled : undefined
}

/** @returns the filled host, or undefined where a name has no value or the result is no name */
export function fillHost(text: string, bindings: Bindings): HostName | undefined {
  const filled = fill(text, bindings)
  const parsed = filled === undefined ? undefined : parseName(filled)
  return parsed?.kind === 'name' ? parsed.name : undefined
}

/** Reads a host of the catalogue. A parameter with fixed values makes a template for each, so that most hosts are found by a look-up. */
export function parseTemplate(text: string, parameters: Parameters): ParsedTemplate {
  const names = placeholders(text)
  const unknown = names.find((name) => !Object.hasOwn(parameters, name))
  if (unknown !== undefined) return { kind: 'invalid', why: `<${unknown}> is not declared` }
  if (new Set(names).size < names.length) return { kind: 'invalid', why: 'the same part stands in it twice' }
  let settled: Bindings[] = [{}]
  for (const name of names) {
    const parameter = parameters[name]
    if (parameter?.kind !== 'values') continue
    settled = settled.flatMap((bindings) => parameter.values.map((value) => ({ ...bindings, [name]: value })))
  }
  const templates: HostTemplate[] = []
  for (const bindings of settled) {
    const template = compile(
      text.replaceAll(placeholder, (whole, name: string) => bindings[name] ?? whole),
      parameters,
      bindings,
    )
    if (typeof template === 'string') return { kind: 'invalid', why: template }
    templates.push(template)
  }
  return { kind: 'templates', templates }
}

/** @param host  known to end in the template's suffix; @returns what stands for the names, or undefined where it is another host */
export function matchTemplate(template: HostTemplate, host: HostName): Bindings | undefined {
  if (template.head === undefined) return host === template.suffix ? template.settled : undefined
  const found = template.head.exec(host.slice(0, -template.suffix.length))
  if (found === null) return undefined
  const bindings: Record<string, string> = { ...template.settled }
  for (const [index, name] of template.captures.entries()) bindings[name] = found[index + 1] ?? ''
  return bindings
}

/** @returns the template, or what is wrong with it */
function compile(text: string, parameters: Parameters, settled: Bindings): HostTemplate | string {
  const lastOpen = text.lastIndexOf('>')
  const cut = lastOpen === -1 ? 0 : text.indexOf('.', lastOpen) + 1
  if (lastOpen !== -1 && cut === 0) return 'the last label differs'
  const whole = parseName(text.replaceAll(placeholder, '0'))
  if (whole.kind === 'invalid') return whole.why
  const suffix = parseName(text.slice(cut))
  if (suffix.kind === 'invalid') return suffix.why
  if (whole.name !== text.replaceAll(placeholder, '0')) return `not in its canonical form, "${whole.name}"`
  if (cut === 0) return { suffix: suffix.name, head: undefined, headLabels: 0, captures: [], settled }
  // A top-level domain alone would claim everybody's hosts.
  if (!suffix.name.includes('.')) return 'fewer than two labels stand behind the part that differs'
  const head = text.slice(0, cut)
  const captures = placeholders(head)
  const shapeOf = (name: string) => {
    const parameter = parameters[name]
    return parameter?.kind === 'shape' ? parameter.shape : 'label'
  }
  const pattern = head
    .split(placeholder)
    .map((part, index) => (index % 2 === 0 ? part.replaceAll('.', '\\.') : `(${shapes[shapeOf(part)].pattern})`))
    .join('')
  const isFixedLength = captures.every((name) => shapeOf(name) !== 'name')
  const headLabels = isFixedLength ? head.split('.').length - 1 : undefined
  return { suffix: suffix.name, head: new RegExp(`^${pattern}$`), headLabels, captures, settled }
}

const placeholder = /<([a-z-]+)>/g
const dashless = '-without-dashes'
