/**
 * The text of the catalogue → providers. What the schema cannot see is checked here: that hosts and SPF terms can be read, that what is
 * referred to is there, that a choice leads to one form. Used by `catalogue.ts`; a test hands in catalogues that are wrong.
 */
import { load } from 'js-yaml'
import { z } from 'zod'
import { parseName } from '../../dns/name.ts'
import type { Form, FormRecord, KnownHost, Provider, SpfTemplate } from './provider.ts'
import { splitTerm } from './provider-term.ts'
import { type Confidence, type FormEntry, type ProviderEntry, providerSchema, type SpfEntry } from './schema.ts'
import { fill, isAllowed, type Parameters, parseTemplate, placeholders } from './template.ts'

export type ParsedCatalogue =
  | { readonly kind: 'providers'; readonly providers: readonly Provider[] }
  /** One line for each mistake, with the entry that it is in. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }

/** Says that something in an entry is wrong. */
type Say = (problem: string) => void

/** @param text  YAML, a list of entries as in `providers.yaml` */
export function parseCatalogue(text: string): ParsedCatalogue {
  let value: unknown
  try {
    value = load(text)
  } catch (error) {
    return { kind: 'invalid', problems: [error instanceof Error ? error.message : String(error)] }
  }
  const list = z.array(z.unknown()).safeParse(value)
  if (!list.success) return { kind: 'invalid', problems: ['not a list of entries'] }
  const problems: string[] = []
  const entries = list.data.flatMap((raw, index) => {
    const parsed = providerSchema.safeParse(raw)
    if (parsed.success) return [parsed.data]
    const id = z.object({ id: z.string() }).safeParse(raw)
    const where = id.success ? id.data.id : `entry ${index + 1}`
    for (const issue of parsed.error.issues) problems.push(`${where}: ${issue.path.join('.')}: ${issue.message}`)
    return []
  })
  const ids = new Set<string>()
  const providers = entries.map((entry) => {
    const say: Say = (problem) => problems.push(`${entry.id}: ${problem}`)
    if (ids.has(entry.id)) say('the id stands there twice')
    ids.add(entry.id)
    return readProvider(entry, say)
  })
  for (const { id, forms } of providers)
    for (const { hostsOf } of forms)
      if (hostsOf !== undefined && (hostsOf === id || !ids.has(hostsOf)))
        problems.push(`${id}: there is no other provider "${hostsOf}"`)
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'providers', providers }
}

function readProvider(entry: ProviderEntry, say: Say): Provider {
  const parameters = readParameters(entry, say)
  const host = (text: string) => readHost(text, parameters, say)
  const forms = entry.forms.map((form) => readForm(form, entry, parameters, say))
  if (forms.length + entry.hosts.length === 0 && entry.closed === undefined) say('nothing leads to it')
  checkChoices(entry, say)
  return {
    id: entry.id,
    name: entry.name,
    also: entry.also,
    kind: entry.kind,
    home: entry.home,
    shared: entry.shared,
    orderMatters: entry.order === 'matters',
    source: entry.source,
    date: entry.date,
    ends: entry.ends,
    panel: entry.panel,
    closed: entry.closed,
    note: entry.note,
    forms,
    choices: entry.choices,
    parameters,
    hosts: entry.hosts.map(host),
    leftovers: entry.leftovers.map(host),
  }
}

function readParameters(entry: ProviderEntry, say: Say): Parameters {
  return Object.fromEntries(
    Object.entries(entry.parameters).map(([name, parameter]) => {
      // `host` and `form` are what records-for.ts takes from everybody.
      if (name === 'host' || name === 'form') say(`a parameter cannot be called "${name}"`)
      if ('values' in parameter)
        return [
          name,
          { kind: 'values', values: parameter.values, example: parameter.values[0] ?? '', ask: parameter.ask },
        ]
      const read = { kind: 'shape', shape: parameter.shape, example: parameter.example, ask: parameter.ask } as const
      if (!isAllowed(read, read.example)) say(`the example of "${name}" is not of its own shape`)
      return [name, read]
    }),
  )
}

function readForm(form: FormEntry, entry: ProviderEntry, parameters: Parameters, say: Say): Form {
  const inForm: Say = (problem) => say(`${form.id}: ${problem}`)
  const confidence = form.confidence ?? entry.confidence
  const records = form.records.map((text) => readRecord(text, form.optional, parameters, inForm))
  const names = new Set(placeholders(records[0]?.text ?? ''))
  if (records.some(({ text }) => !sameNames(names, placeholders(text)))) inForm('its hosts differ in different parts')
  const stray = form.optional.find((host) => !records.some(({ text }) => text === host))
  if (stray !== undefined) inForm(`"${stray}" is optional and none of its hosts`)
  const withoutQuestion = [...names].find((name) => parameters[name]?.ask === undefined)
  const isWanted = form.status !== 'obsolete' && entry.closed === undefined
  if (withoutQuestion !== undefined && isWanted && entry.panel === undefined)
    inForm(`nobody is asked for <${withoutQuestion}>`)
  const known = new Set([...names, ...Object.keys(form.when)])
  return {
    id: form.id,
    name: form.name,
    status: form.status,
    confidence,
    when: form.when,
    hostsOf: form.hostsOf,
    records,
    spf: (form.spf ?? entry.spf).map((term) => readSpf(term, confidence, known, inForm)),
    note: form.note,
  }
}

function readRecord(text: string, optional: readonly string[], parameters: Parameters, say: Say): FormRecord {
  const space = text.indexOf(' ')
  const word = text.slice(0, space)
  const preference = word === 'any' ? undefined : Number(word)
  if (preference !== undefined && preference > 65535) say(`the preference ${preference} is above 65535`)
  const host = text.slice(space + 1)
  return { ...readHost(host, parameters, say), preference, optional: optional.includes(host) }
}

function readHost(text: string, parameters: Parameters, say: Say): KnownHost {
  const parsed = parseTemplate(text, parameters)
  if (parsed.kind === 'invalid') say(`"${text}": ${parsed.why}`)
  return { text, templates: parsed.kind === 'templates' ? parsed.templates : [] }
}

function readSpf(entry: SpfEntry, confidence: Confidence, known: ReadonlySet<string>, say: Say): SpfTemplate {
  const term =
    typeof entry === 'string' ? { text: entry, confidence } : { text: entry.term, confidence: entry.confidence }
  // Any value will do to see whether the rest is a name.
  const values = Object.fromEntries([...known].map((name) => [name, 'x']))
  const domain = splitTerm(term.text)?.domain
  const filled = fill(domain ?? term.text, values)
  if (filled === undefined) say(`"${term.text}" has a part that none of the form's hosts has`)
  else if (domain !== undefined && parseName(filled).kind === 'invalid') say(`"${term.text}" names no domain`)
  return term
}

/** A choice must be asked for, and must lead to one form. */
function checkChoices(entry: ProviderEntry, say: Say): void {
  const open = entry.forms.filter(({ status }) => status === 'current')
  for (const key of new Set(open.flatMap(({ when }) => Object.keys(when))))
    if (!Object.hasOwn(entry.choices, key)) say(`nobody is asked for "${key}"`)
  const choices = open.map(({ when }) => JSON.stringify(when))
  // With a host from the panel, the host itself tells the form.
  if (new Set(choices).size < choices.length && entry.panel === undefined && entry.closed === undefined)
    say('nothing tells two current forms apart')
  const ids = entry.forms.map(({ id }) => id)
  if (new Set(ids).size < ids.length) say('two forms have the same id')
}

const sameNames = (names: ReadonlySet<string>, others: readonly string[]) =>
  names.size === new Set(others).size && others.every((name) => names.has(name))
