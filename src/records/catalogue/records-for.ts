/**
 * A provider's name and what the owner told about the account → the records to publish, or what must be asked first. Pure.
 * `exchangers: google-workspace` in waypost.yaml, `waypost init` and `waypost migrate --to fastmail` come here.
 *
 * Nothing is guessed: what only the account knows is asked for, and what was not confirmed is not published.
 */
import { nearest } from '../../base/nearest.ts'
import { parseName } from '../../dns/name.ts'
import { catalogue } from './catalogue.ts'
import { type Exchanger, type Form, isPublishable, type Provider } from './provider.ts'
import { type ProviderTerm, providerTerms } from './provider-term.ts'
import { type Bindings, fillHost, isAllowed, placeholders, shapes } from './template.ts'

export interface Choice {
  readonly value: string
  readonly name: string
}

export type ProviderRecords =
  | {
      readonly kind: 'records'
      readonly provider: Provider
      readonly form: Form
      readonly records: readonly Exchanger[]
      readonly spf: readonly ProviderTerm[]
    }
  /** Ask `question` and call again with `parameter` added. `choices` is empty where anything of the right shape is taken. */
  | {
      readonly kind: 'parameter-needed'
      readonly provider: Provider
      readonly parameter: string
      readonly question: string
      readonly choices: readonly Choice[]
      readonly example: string | undefined
    }
  | {
      readonly kind: 'parameter-wrong'
      readonly provider: Provider
      readonly parameter: string
      readonly why: string
      /** The word that was probably meant, of a key or of a value, whichever is wrong. */
      readonly nearest: string | undefined
    }
  | { readonly kind: 'not-publishable'; readonly provider: Provider; readonly why: string }
  | { readonly kind: 'unknown'; readonly nearest: string | undefined }

/**
 * @param id      as in `exchangers:`
 * @param given   `host` is a host that the provider's panel shows; `form` chooses an older set that the provider still supports; the other
 *                keys are the provider's own, such as `region`
 * @param from    another catalogue than ours
 */
export function recordsFor(id: string, given: Bindings = {}, from = catalogue()): ProviderRecords {
  const provider = from.byId.get(id)
  if (provider === undefined) return { kind: 'unknown', nearest: nearestProvider(id, from.providers) }
  if (provider.closed !== undefined) return { kind: 'not-publishable', provider, why: provider.closed }
  const keys = keysOf(provider)
  const strange = Object.keys(given).find((key) => !keys.includes(key))
  if (strange !== undefined) {
    const takes = keys.length === 0 ? 'takes no parameters' : `takes ${keys.join(', ')}`
    return wrong(provider, strange, `${provider.id} ${takes}, and no "${strange}"`, nearest(strange, keys))
  }
  return given.host === undefined ? fromChoices(provider, given) : fromHost(provider, given.host, given, from)
}

/** The host that the panel shows tells everything. */
function fromHost(
  provider: Provider,
  text: string,
  given: Bindings,
  from: ReturnType<typeof catalogue>,
): ProviderRecords {
  const parsed = parseName(text)
  if (parsed.kind === 'invalid') return wrong(provider, 'host', `"${text}" is not a host name: ${parsed.why}`)
  const own = from.index.match(parsed.name).filter((match) => match.provider === provider && !match.isLeftover)
  if (own.length === 0)
    return wrong(provider, 'host', `${parsed.name} is not a host that ${provider.name} gives to customers`)
  const match = own.find(({ form }) => agrees(form, given)) ?? own.find(({ form }) => form !== undefined)
  if (match?.form === undefined) return { kind: 'not-publishable', provider, why: unconfirmed(provider) }
  if (!agrees(match.form, given))
    return wrong(provider, 'host', `${parsed.name} is of another kind: ${match.form.name}`)
  const stray = Object.keys(match.bindings).find(
    (name) => given[name] !== undefined && given[name] !== match.bindings[name],
  )
  if (stray !== undefined) return wrong(provider, stray, `${parsed.name} says ${match.bindings[stray] ?? ''}`)
  return published(provider, match.form, match.bindings)
}

const agrees = (form: Form | undefined, given: Bindings) =>
  form !== undefined &&
  (given.form ?? form.id) === form.id &&
  Object.entries(form.when).every(([key, value]) => (given[key] ?? value) === value)

function fromChoices(provider: Provider, given: Bindings): ProviderRecords {
  const wanted = given.form
  let left = provider.forms.filter(({ id, status }) => (wanted === undefined ? status === 'current' : id === wanted))
  if (wanted !== undefined && left.length === 0)
    return wrong(
      provider,
      'form',
      `${provider.name} has no form "${wanted}"`,
      nearest(
        wanted,
        provider.forms.map(({ id }) => id),
      ),
    )
  for (const key of Object.keys(provider.choices)) {
    const choices = choicesOf(left, key)
    const value = given[key]
    if (value === undefined) {
      if (choices.length < 2) continue
      const question = provider.choices[key] ?? ''
      return { kind: 'parameter-needed', provider, parameter: key, question, choices, example: undefined }
    }
    const chosen = left.filter(({ when }) => when[key] === value)
    const values = choices.map((choice) => choice.value)
    if (chosen.length === 0)
      return wrong(provider, key, `"${value}" is none of ${values.join(', ')}`, nearest(value, values))
    left = chosen
  }
  const form = left[0]
  if (form === undefined) return { kind: 'not-publishable', provider, why: unconfirmed(provider) }
  // Several are left only where the host of the panel tells them apart.
  if (left.length > 1) return hostNeeded(provider, left)
  return withParameters(provider, form, given)
}

function withParameters(provider: Provider, form: Form, given: Bindings): ProviderRecords {
  // What cannot be published in the end is said before anything is asked.
  if (form.status === 'obsolete' || !isPublishable(form.confidence)) return published(provider, form, {})
  const bindings: Record<string, string> = {}
  for (const name of placeholders(form.records[0]?.text ?? '')) {
    const parameter = provider.parameters[name]
    if (parameter?.ask === undefined) return hostNeeded(provider, [form])
    const value = given[name]?.toLowerCase()
    if (value === undefined) {
      const choices = parameter.kind === 'values' ? parameter.values.map((each) => ({ value: each, name: each })) : []
      const { ask: question, example } = parameter
      return { kind: 'parameter-needed', provider, parameter: name, question, choices, example }
    }
    if (!isAllowed(parameter, value)) {
      const wants = parameter.kind === 'values' ? parameter.values.join(', ') : shapes[parameter.shape].says
      const near = parameter.kind === 'values' ? nearest(value, parameter.values) : undefined
      return wrong(provider, name, `"${value}" is not one of these: ${wants}`, near)
    }
    bindings[name] = value
  }
  return published(provider, form, bindings)
}

function published(provider: Provider, form: Form, bindings: Bindings): ProviderRecords {
  if (form.status === 'obsolete')
    return { kind: 'not-publishable', provider, why: `${provider.name} no longer hands out this set (${form.name})` }
  if (!isPublishable(form.confidence)) return { kind: 'not-publishable', provider, why: unconfirmed(provider, form) }
  const records = form.records.flatMap(({ preference, text, optional }): Exchanger[] => {
    const host = fillHost(text, bindings)
    return optional || preference === undefined || host === undefined ? [] : [{ preference, host }]
  })
  return { kind: 'records', provider, form, records, spf: providerTerms(form, bindings) }
}

/** The keys that `given` may have for this provider. */
export function keysOf(provider: Provider): readonly string[] {
  const asked = Object.keys(provider.parameters).filter((name) => provider.parameters[name]?.ask !== undefined)
  const hasOlder = provider.forms.some(({ status }) => status === 'supported')
  const keys = [
    ...Object.keys(provider.choices),
    ...asked,
    ...(provider.panel ? ['host'] : []),
    ...(hasOlder ? ['form'] : []),
  ]
  return [...new Set(keys)]
}

function choicesOf(forms: readonly Form[], key: string): readonly Choice[] {
  const choices = new Map<string, Choice>()
  for (const { when, name } of forms) {
    const value = when[key]
    if (value !== undefined && !choices.has(value)) choices.set(value, { value, name })
  }
  return [...choices.values()]
}

function hostNeeded(provider: Provider, forms: readonly Form[]): ProviderRecords {
  const form = forms.find(({ confidence }) => isPublishable(confidence))
  if (form === undefined) return { kind: 'not-publishable', provider, why: unconfirmed(provider, forms[0]) }
  const examples = Object.fromEntries(Object.entries(provider.parameters).map(([name, { example }]) => [name, example]))
  return {
    kind: 'parameter-needed',
    provider,
    parameter: 'host',
    question: provider.panel ?? '',
    choices: [],
    example: fillHost(form.records[0]?.text ?? '', examples),
  }
}

const unconfirmed = (provider: Provider, form?: Form) =>
  `the records of ${provider.name}${form ? ` (${form.name})` : ''} are not confirmed; write out the exchangers that the provider gives you`

function wrong(provider: Provider, parameter: string, why: string, near?: string): ProviderRecords {
  return { kind: 'parameter-wrong', provider, parameter, why, nearest: near }
}

/** The provider whose name, or another word for it, comes nearest. */
function nearestProvider(word: string, providers: readonly Provider[]): string | undefined {
  const wanted = word.toLowerCase()
  const words = new Map<string, string>()
  for (const { id, also } of providers) {
    for (const other of [id, ...also]) words.set(other, id)
    // "google" for "google-workspace".
    const start = id.split('-')[0] ?? id
    if (!words.has(start)) words.set(start, id)
  }
  const near = words.has(wanted) ? wanted : nearest(wanted, words.keys())
  return near === undefined ? undefined : words.get(near)
}
