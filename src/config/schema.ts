/**
 * The schema of waypost.yaml: what every room declares (as `watch/options.ts` does) put together. `read.ts` checks files against it; `waypost config schema`
 * and docs/configuration.md are made from it.
 */
import { z } from 'zod'
import { optionalFlag, section, text } from '../base/option.ts'
import { dnsListen, dnsServerOptions } from '../dns/authoritative/options.ts'
import { resolverOptions } from '../dns/options.ts'
import { gatewayOptions, mailboxLimitOptions } from '../gateway/options.ts'
import { publishOptions } from '../publish/options.ts'
import { holdLimitOptions } from '../queue/options.ts'
import { routingOptions } from '../routing/options.ts'
import { senderLimitOptions, smtpOptions } from '../smtp/options.ts'
import { watchOptions } from '../watch/options.ts'
import { httpListen, webOptions } from '../web/options.ts'
import { defaultOptions, domainsTable } from './domain-options.ts'

const { hostname, state, log, publicAddresses, bareNewline, eightBit, trusted, outbound, shutdownGrace, budgets } =
  gatewayOptions
const { routes, postmaster } = routingOptions
const domains = domainsTable

const includeWants = 'a path or pattern such as "domains/*.yaml", { file: pattern, trusted: true }, or a list of them'
const includePath = text('A path or a pattern with "*".', includeWants)
const includeEntry = section('Files to include.', {
  file: includePath,
  trusted: optionalFlag(
    'Whether the files may name Maildirs, sockets, files of recipients and private addresses too. Default false.',
  ),
})
const includeElement = z.union([includePath, includeEntry], { error: includeWants })

const include = z
  .union([includeElement, z.array(includeElement).max(1000, { error: 'at most 1000 of them' })], {
    error: includeWants,
  })
  .optional()
  .meta({
    description: 'Other files with `domains:`, and nothing else. A pattern that matches no file is an error.',
    wants: includeWants,
  })

const limits = section(
  'Ceilings over all of Waypost. What would go beyond one is answered 4yz or 5yz, as each RFC says.',
  {
    ...senderLimitOptions,
    ...holdLimitOptions,
    ...mailboxLimitOptions,
  },
).prefault({})

const listen = section(
  'Where Waypost listens.',
  {
    ...smtpOptions.listen.unwrap().shape,
    dns: dnsListen,
    http: httpListen,
  },
  '{ smtp: "0.0.0.0:25" }',
).prefault({})

/** In the order of the documentation: what is needed first stands first. */
const options = {
  hostname,
  ...smtpOptions,
  listen,
  limits,
  state,
  domains,
  routes,
  defaults: defaultOptions,
  ...publishOptions,
  dns: dnsServerOptions,
  web: webOptions,
  postmaster,
  include,
  log,
  publicAddresses,
  resolver: resolverOptions,
  bareNewline,
  eightBit,
  trusted,
  outbound,
  ...watchOptions,
  shutdownGrace,
  budgets,
}

/** The whole file. */
export const fileSchema = section('waypost.yaml', options)

/** The file but for what is checked entry by entry, so that one wrong domain hides no other. */
export const generalSchema = fileSchema.omit({ domains: true, routes: true })

/** A file that is included. */
export const includedSchema = section('An included file.', { domains })

export type GeneralOptions = z.output<typeof generalSchema>

/** What `toJsonSchema` writes and the rest of this room reads of it. */
export interface JsonSchema {
  readonly description?: string
  readonly wants?: string
  readonly type?: string | readonly string[]
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  /** A secret: editors of forms hide what is typed. */
  readonly writeOnly?: true
}

/** The JSON Schema of what stands in the file, with what errors say (`wants`). */
export function toJsonSchema(schema: z.ZodType = fileSchema): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    reused: 'inline',
    // Scalars are text to us; to an editor a count is a number.
    override({ jsonSchema }) {
      if (jsonSchema.type === 'integer' && jsonSchema.default !== undefined)
        jsonSchema.default = Number(jsonSchema.default)
      // One of several kinds, told by a key: the rest of this room knows one way to say "several".
      if (jsonSchema.oneOf) {
        jsonSchema.anyOf = jsonSchema.oneOf
        delete jsonSchema.oneOf
      }
    },
  }) as JsonSchema
}

/** The JSON Schema (draft 2020-12) for editors: the same without our own words, and as strict validators want it. */
export function publishedSchema(): unknown {
  return JSON.parse(
    JSON.stringify(toJsonSchema(), (key, value) => {
      if (key === 'wants') return undefined
      // A list of types is one that strict validators take for a mistake.
      if (!Array.isArray(value?.type)) return value
      const { type, pattern, minimum, maximum, ...rest } = value
      const words = { string: { pattern }, integer: { minimum, maximum }, number: { minimum, maximum } }
      return { ...rest, anyOf: type.map((each: keyof typeof words) => ({ type: each, ...words[each] })) }
    }),
  )
}

/** The parts of the schema that a path leads to; several where a value may be one of several kinds. */
export function schemasAt(root: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  let reached = alternatives(root)
  for (const step of path) {
    reached = reached.flatMap((schema) => {
      const other = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
      const next = typeof step === 'number' ? schema.items : (schema.properties?.[String(step)] ?? other)
      return next ? alternatives(next) : []
    })
  }
  return reached
}

const alternatives = (schema: JsonSchema): readonly JsonSchema[] =>
  schema.anyOf ? [schema, ...schema.anyOf.flatMap(alternatives)] : [schema]
