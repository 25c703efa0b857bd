/**
 * Kinds of options that rooms declare (as `watch/options.ts` does): each once, with default, unit, range and a sentence. The schema of
 * waypost.yaml, its JSON Schema and docs/configuration.md all come from these declarations.
 * YAML scalars arrive as text, whatever they look like, so that `recipients: [no, 007]` are the names that were written.
 */
import { z } from 'zod'

/** What a key's declaration adds to the JSON Schema; `wants` is what an error says is allowed there. */
declare module 'zod' {
  interface GlobalMeta {
    wants?: string
  }
}

interface Bounds<Text> {
  readonly default: Text
  readonly least: Text
  readonly most: Text
}

/** A length of time: `300ms`, `10s`, `5m`, `12h`, `14d`. @returns a schema whose output is milliseconds */
export function duration(says: string, bounds: Bounds<string>) {
  const wants = `a length of time with its unit, such as ${bounds.default} (ms, s, m, h, d; ${bounds.least} to ${bounds.most})`
  return quantity(durationUnits, wants, bounds).prefault(bounds.default).meta({
    description: says,
    wants,
    pattern: '^[0-9]+(ms|s|m|h|d)$',
  })
}

/** The same where the key may be left out and the default stands elsewhere. */
export function optionalDuration(says: string, bounds: Bounds<string>) {
  const wants = `a length of time with its unit, such as ${bounds.default} (ms, s, m, h, d; ${bounds.least} to ${bounds.most})`
  return quantity(durationUnits, wants, bounds)
    .optional()
    .meta({ description: `${says} Default ${bounds.default}.`, wants, type: 'string', pattern: '^[0-9]+(ms|s|m|h|d)$' })
}

/** The same where the key may be left out, or be `off`, which is 0; the default stands elsewhere. */
export function optionalDurationOrOff(says: string, bounds: Bounds<string>) {
  const wants = `a length of time with its unit, such as ${bounds.default === 'off' ? bounds.most : bounds.default} (ms, s, m, h, d; ${bounds.least} to ${bounds.most}), or off`
  return z
    .union([z.literal('off').transform(() => 0), quantity(durationUnits, wants, bounds)], { error: wants })
    .optional()
    .meta({
      description: `${says} Default ${bounds.default}.`,
      wants,
      type: 'string',
      pattern: '^([0-9]+(ms|s|m|h|d)|off)$',
    })
}

/** An amount of memory or disk: `512`, `50KiB`, `50MiB`, `2GiB`, also `MB` and the like by 1000. @returns octets */
export function size(says: string, bounds: Bounds<string>) {
  const wants = `a size such as ${bounds.default} (B, KiB, MiB, GiB; kB, MB, GB; ${bounds.least} to ${bounds.most})`
  return quantity(sizeUnits, wants, bounds)
    .prefault(bounds.default)
    .meta({ description: says, wants, type: ['string', 'integer'], pattern: '^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)?$' })
}

/** The same where the key may be left out and what happens then is told in the sentence. */
export function optionalSize(says: string, { least, most, example }: { least: string; most: string; example: string }) {
  const wants = `a size such as ${example} (B, KiB, MiB, GiB; kB, MB, GB; ${least} to ${most})`
  return quantity(sizeUnits, wants, { least, most })
    .optional()
    .meta({ description: says, wants, type: ['string', 'integer'], pattern: '^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)?$' })
}

/** A whole number. */
export function count(says: string, bounds: Bounds<number>) {
  return bareCount(says, bounds).prefault(String(bounds.default)).meta({ default: bounds.default })
}

/** The same where the key may be left out and the default stands elsewhere. */
export function optionalCount(says: string, bounds: Bounds<number>) {
  return bareCount(`${says} Default ${bounds.default}.`, bounds).optional()
}

/** The same where the key must be there. */
export function bareCount(says: string, { least, most }: { least: number; most: number }) {
  const wants = `a whole number from ${least} to ${most}`
  return z
    .string({ error: wants })
    .transform((text, context) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      if (value >= least && value <= most) return value
      context.addIssue({ code: 'custom', message: wants })
      return z.NEVER
    })
    .meta({ description: says, wants, type: 'integer', minimum: least, maximum: most })
}

/** One word of several. */
export function choice<const Words extends readonly [string, ...string[]]>(
  says: string,
  words: Words,
  byDefault: NoInfer<Words[number]>,
) {
  return bareChoice(says, words).prefault(byDefault as z.input<ReturnType<typeof bareChoice<Words>>>)
}

export function optionalChoice<const Words extends readonly [string, ...string[]]>(says: string, words: Words) {
  return bareChoice(says, words).optional()
}

export function bareChoice<const Words extends readonly [string, ...string[]]>(says: string, words: Words) {
  const wants = words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`
  return z.enum(words, { error: wants }).meta({ description: says, wants })
}

/** `true` or `false`. */
export function optionalFlag(says: string) {
  const wants = 'true or false'
  return z
    .enum(['true', 'false'], { error: wants })
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: says, wants, type: 'boolean', enum: [true, false] })
}

/** Text that is not empty. @param wants  what it should be, said in errors: "a path, such as …" */
export function text(says: string, wants: string) {
  return z.string({ error: wants }).min(1, { error: wants }).meta({ description: says, wants })
}

/**
 * Text that means a value.
 * @param read  the value, or in words why the text is none
 */
export function parsed<Value>(says: string, wants: string, read: (text: string) => Read<Value>) {
  return z
    .string({ error: wants })
    .transform((input, context): Value => {
      const result = read(input)
      if (result.kind === 'value') return result.value
      context.addIssue({ code: 'custom', message: result.why === '' ? wants : `${wants}; this ${result.why}` })
      return z.NEVER
    })
    .meta({ description: says, wants })
}

export type Read<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'no'; readonly why: string }

/** One of these, or a list of them. @returns a schema whose output is always a list */
export function oneOrMore<Schema extends z.ZodType>(says: string, wants: string, element: Schema, most: number) {
  const list = z
    .array(element, { error: wants })
    .min(1, { error: wants })
    .max(most, { error: `at most ${most} of them` })
  return z
    .union([element, list], { error: wants })
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<Schema>[])
    .meta({ description: says, wants })
}

/** A list, empty by default. */
export function list<Schema extends z.ZodType>(says: string, wants: string, element: Schema, most: number) {
  return z
    .array(element, { error: wants })
    .max(most, { error: `at most ${most} of them` })
    .prefault([])
    .meta({ description: says, wants })
}

/**
 * Keys of a part of waypost.yaml; any other key is an error.
 * @param example  where people write something else first
 * @param off  what is to be written instead, where people want it to be off
 */
export function section<Shape extends z.ZodRawShape>(says: string, shape: Shape, example?: string, off?: string) {
  const wants = `keys with values${example === undefined ? '' : `, such as ${example}`}: ${Object.keys(shape).join(', ')}`
  // The reply to an unknown key is made in `config/explain.ts`, which knows the place and the nearest known key.
  const error = ({ input }: { readonly input?: unknown }) =>
    off !== undefined && (input === 'off' || input === false) ? `${wants}; to have it off, write "${off}"` : wants
  return z.strictObject(shape, { error }).meta({ description: says, wants })
}

/** Names of the user's own, each with a value of one kind. */
export function table<Schema extends z.ZodType>(says: string, wants: string, value: Schema) {
  return z.record(z.string(), value, { error: wants }).meta({ description: says, wants })
}

/** Where a secret is kept. It is read after the file was parsed, and is never written into it. */
export type SecretSource =
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string }

/** A secret: `${VARIABLE}` or `file:path`. A literal is an error. @returns a schema whose output is its source */
export function secret(says: string) {
  const wants = `a secret from the environment, "\${NAME}", or from a file, "file:path", and never the secret itself`
  return parsed(says, wants, (input): Read<SecretSource> => {
    const variable = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(input)?.[1]
    if (variable !== undefined) return { kind: 'value', value: { kind: 'environment', variable } }
    if (/^file:./.test(input)) return { kind: 'value', value: { kind: 'file', path: input.slice('file:'.length) } }
    return { kind: 'no', why: '' }
  }).meta({ description: says, wants, writeOnly: true })
}

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
  ['kB', 1000],
  ['MB', 1000 ** 2],
  ['GB', 1000 ** 3],
])

function quantity(units: ReadonlyMap<string, number>, wants: string, bounds: { least: string; most: string }) {
  const least = readQuantity(units, bounds.least) ?? 0
  const most = readQuantity(units, bounds.most) ?? Number.POSITIVE_INFINITY
  return z.string({ error: wants }).transform((input, context) => {
    const value = readQuantity(units, input)
    if (value !== undefined && value >= least && value <= most) return value
    context.addIssue({ code: 'custom', message: wants })
    return z.NEVER
  })
}

function readQuantity(units: ReadonlyMap<string, number>, input: string): number | undefined {
  const parts = /^(\d{1,15}) ?([A-Za-z]*)$/.exec(input)
  const unit = units.get(parts?.[2] ?? '?')
  return unit === undefined ? undefined : Number(parts?.[1]) * unit
}
