/** The catalogue → docs/providers.md. `npm run docs` writes it; a test holds it to be current. */
import { catalogue } from './catalogue.ts'
import { type Form, isPublishable, type Provider } from './provider.ts'
import { keysOf } from './records-for.ts'
import { placeholders, shapes } from './template.ts'

/** @returns the whole page, Markdown */
export function documentProviders(from = catalogue()): string {
  const groups = Object.entries(kinds).map(([kind, { title, says }]) => {
    const members = from.providers.filter((provider) => provider.kind === kind)
    return [`## ${title}`, '', says, '', ...members.flatMap(section)].join('\n')
  })
  return `${[head, ...groups].join('\n').trimEnd()}\n`
}

const kinds: Readonly<Record<Provider['kind'], { readonly title: string; readonly says: string }>> = {
  mailbox: { title: 'Mailboxes', says: 'They keep the mail for people to read.' },
  forwarding: { title: 'Forwarding', says: 'They pass the mail on to another address.' },
  filter: {
    title: 'Filters',
    says: 'They examine the mail and pass it on. Who has the mailboxes behind them is not seen in MX records.',
  },
  'inbound-api': { title: 'Mail for programs', says: 'They hand the mail to a program.' },
  none: { title: 'No mail', says: 'Nobody reads mail there.' },
}

const head = `# Mail providers

The providers that Waypost knows by their MX records. This page is made from \`src/records/catalogue/providers.yaml\` (\`npm run docs\`).

The word behind a provider's name is what stands in \`waypost.yaml\`:

\`\`\`yaml
domains:
  example.org: { exchangers: google-workspace }
\`\`\`

- \`<…>\` in a host is a part that differs between accounts or regions. Where a provider *needs* something, Waypost asks for it and never guesses:
  a region in which the account is not, or another customer's host, refuses the mail or loses it.
- **Confidence**: *verified* was read in the provider's own documentation (or an RFC), *observed* in several live zones of its customers. What is
  *unconfirmed* serves to recognise a provider, and is never published.
- **Status**: *current* is what the provider hands out today, *supported* is older and stays valid, *obsolete* is no longer handed out: it is recognised and not
  published.
- Senders look at the order of preferences alone, not at the numbers, and so does Waypost when it compares.
- Providers change their hosts. The date says when the facts were gathered; what a provider's own panel shows is right where it differs.
`

function section(provider: Provider): string[] {
  const rows = provider.forms.map(
    (form) =>
      `| ${cell(form.name)} | ${form.records.map(recordCell).join('<br>')} | ${form.status} | ${form.confidence} | ${publishes(form, provider)} |`,
  )
  const table = ['| set | records | status | confidence | published |', '| --- | --- | --- | --- | --- |', ...rows, '']
  const facts = [
    `[${provider.home}](${provider.home})`,
    ...needs(provider),
    ...spfLines(provider),
    ...(provider.hosts.length > 0 ? [`Other hosts of its: ${list(provider.hosts)}`] : []),
    ...(provider.leftovers.length > 0 ? [`Proves ownership and takes no mail: ${list(provider.leftovers)}`] : []),
    ...placeholderLines(provider),
    ...(provider.orderMatters ? [] : ['The order of preferences is not compared.']),
    ...(provider.closed ? [`Not published: ${provider.closed}`] : []),
    ...(provider.ends ? [`The service ends on ${provider.ends}.`] : []),
    ...(provider.note ? [provider.note] : []),
    ...provider.forms.flatMap(({ name, note }) => (note ? [`*${name}*: ${note}`] : [])),
    `Source: ${provider.source}; ${provider.date}`,
  ]
  return [
    `### ${provider.name}: \`${provider.id}\``,
    '',
    ...(rows.length > 0 ? table : []),
    ...facts.map((fact) => `- ${fact}`),
    '',
  ]
}

const canPublish = ({ status, confidence }: Form, { closed }: Provider) =>
  closed === undefined && status !== 'obsolete' && isPublishable(confidence)

function publishes(form: Form, provider: Provider): string {
  const { hostsOf } = form
  return `${canPublish(form, provider) ? 'yes' : 'no'}${hostsOf === undefined ? '' : `, recognised as \`${hostsOf}\``}`
}

function recordCell({ preference, text, optional }: Form['records'][number]): string {
  return `\`${preference ?? 'any'} ${text}\`${optional ? ' (may be absent)' : ''}`
}

function needs(provider: Provider): string[] {
  if (!provider.forms.some((form) => canPublish(form, provider))) return []
  return keysOf(provider).flatMap((key) => {
    if (key === 'form') return []
    if (key === 'host')
      return [`Needs \`host\` where a host has a part that only the account knows: ${provider.panel ?? ''}`]
    const parameter = provider.parameters[key]
    const values = new Set(provider.forms.flatMap(({ when }) => when[key] ?? []))
    const takes = parameter?.kind === 'values' ? parameter.values : [...values]
    const example = parameter?.kind === 'shape' ? [`${shapes[parameter.shape].says}`] : []
    const words = [...takes.map((value) => `\`${value}\``), ...example].join(', ')
    return [`Needs \`${key}\` (${words}): ${provider.choices[key] ?? parameter?.ask ?? ''}`]
  })
}

/** What may stand for the parts that nobody is asked about. */
function placeholderLines(provider: Provider): string[] {
  const hosts = [...provider.forms.flatMap(({ records }) => records), ...provider.hosts, ...provider.leftovers]
  const names = [...new Set(hosts.flatMap(({ text }) => placeholders(text)))]
  return names.flatMap((name) => {
    const parameter = provider.parameters[name]
    if (parameter === undefined || parameter.ask !== undefined) return []
    const takes =
      parameter.kind === 'values'
        ? parameter.values.map((value) => `\`${value}\``).join(', ')
        : `${shapes[parameter.shape].says}, such as \`${parameter.example}\``
    return [`\`<${name}>\`: ${takes}`]
  })
}

/** SPF terms, each with the sets that it goes with where they differ. */
function spfLines({ forms }: Provider): string[] {
  const sets = new Map<string, string[]>()
  for (const { spf, name, status } of forms) {
    if (spf.length === 0 || status === 'obsolete') continue
    const terms = spf.map(({ text, confidence }) => `\`${text}\`${isPublishable(confidence) ? '' : ' (unconfirmed)'}`)
    const line = terms.join(' ')
    sets.set(line, [...(sets.get(line) ?? []), name])
  }
  return [...sets].map(([line, names]) => `SPF${sets.size === 1 ? '' : ` (${names.join('; ')})`}: ${line}`)
}

const list = (hosts: Provider['hosts']) => hosts.map(({ text }) => `\`${text}\``).join(', ')
const cell = (text: string) => text.replaceAll('|', '\\|')
