/**
 * What an entry of `providers.yaml` may hold, key by key. Used by `parse.ts`, which reads the hosts in it and checks what one key says
 * against another.
 */
import { z } from 'zod'
import { type ShapeName, shapes } from './template.ts'

const word = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
const sentence = z.string().min(2)

/** `verified` and `observed` may be published; `unconfirmed` serves to recognise. */
const confidence = z.enum(['verified', 'observed', 'unconfirmed'])

const spfText = z.string().regex(/^((include|redirect|exists)[:=][^\s]+|mx|-all)$/)
const spf = z.union([spfText, z.strictObject({ term: spfText, confidence })])

const shapeNames = Object.keys(shapes) as [ShapeName, ...ShapeName[]]

const parameter = z.union([
  z.strictObject({ values: z.array(z.string()).min(1), ask: sentence.optional() }),
  z.strictObject({ shape: z.enum(shapeNames), example: z.string().min(1), ask: sentence.optional() }),
])

const form = z.strictObject({
  id: word,
  name: sentence,
  status: z.enum(['current', 'supported', 'obsolete']).default('current'),
  /** Default: the provider's. */
  confidence: confidence.optional(),
  /** The choices that lead to this form, such as `region: eu`. */
  when: z.record(word, word).default({}),
  /** The provider under which these hosts are recognised. */
  hostsOf: word.optional(),
  /** `10 mx.example.com`; `any` for a preference that the account or the zone decides about. */
  records: z.array(z.string().regex(/^([0-9]{1,5}|any) [^\s]+$/)).min(1),
  /** Hosts of `records` whose absence is no fault. */
  optional: z.array(z.string()).default([]),
  /** Default: the provider's. */
  spf: z.array(spf).optional(),
  note: sentence.optional(),
})

export const providerSchema = z.strictObject({
  /** The word in waypost.yaml. */
  id: word,
  name: sentence,
  /** Other words that people use for it; for suggestions alone. */
  also: z.array(word).default([]),
  /** `filter`: it hides who has the mailboxes. `none`: no mail is read there. */
  kind: z.enum(['mailbox', 'forwarding', 'filter', 'inbound-api', 'none']),
  home: z.url({ protocol: /^https$/ }),
  /** Its hosts take the mail of many owners, so whoever tests them over SMTP asks little and slowly. */
  shared: z.boolean().default(true),
  /** `any`: the order of preferences is the owner's choice. */
  order: z.enum(['matters', 'any']).default('matters'),
  confidence,
  source: sentence,
  /** The month in which the facts were gathered. */
  date: z.string().regex(/^20[0-9]{2}-(0[1-9]|1[0-2])$/),
  /** The last day of the service. */
  ends: z.iso.date().optional(),
  spf: z.array(spf).default([]),
  /** Where the owner finds a host that only the account knows. */
  panel: sentence.optional(),
  /** Why nobody's domain can be pointed there by publishing records. */
  closed: sentence.optional(),
  forms: z.array(form),
  /** For each key of a form's `when`, what to ask. */
  choices: z.record(word, sentence).default({}),
  parameters: z.record(word, parameter).default({}),
  /** Hosts of its that belong to no form. */
  hosts: z.array(z.string()).default([]),
  /** Hosts that prove ownership and take no mail. */
  leftovers: z.array(z.string()).default([]),
  note: sentence.optional(),
})

export type ProviderEntry = z.output<typeof providerSchema>
export type FormEntry = ProviderEntry['forms'][number]
export type SpfEntry = ProviderEntry['spf'][number]
export type Confidence = z.output<typeof confidence>
