/**
 * The schema → docs/configuration.md: each option with what it takes, its default and its sentence. `npm run docs` writes it; a test
 * holds it to be current.
 */
import { type JsonSchema, toJsonSchema } from './schema.ts'

export function documentConfiguration(): string {
  const root = toJsonSchema()
  const seen = new Set<string>()
  // A backend's keys, which many lists take, are told once.
  const distinct = parts(root, []).filter(({ schema }) => {
    const content = JSON.stringify(schema)
    return !seen.has(content) && seen.add(content)
  })
  return [head, section([], root), ...distinct.map(({ path, schema }) => section(path, schema))].join('\n')
}

const head = `# waypost.yaml

Everything that can be said in \`waypost.yaml\`. This page is made from the options themselves (\`npm run docs\`).

Waypost looks for the file at \`-c FILE\`, then \`./waypost.yaml\`, then \`/etc/waypost/waypost.yaml\`. Paths are relative to the file that names
them. \`waypost config check\` says everything that is wrong with a file, with the place of each mistake; \`waypost config schema\` prints a
JSON Schema that editors complete from.

The least that works:

\`\`\`yaml
domains:
  example.org: { deliver: mx }                                         # be a backup for the published exchangers
\`\`\`

More of it:

\`\`\`yaml
hostname: mx1.example.com
listen: { smtp: ["0.0.0.0:25", "[::]:25"] }
state: /var/lib/waypost
tls: { certificate: fullchain.pem, key: privkey.pem }
domains:
  example.com:
    deliver:
      - { to: "smtp://10.0.0.11", weight: 2 }                          # two thirds of the mail
      - { to: "smtp://10.0.0.12" }
      - { to: "smtp://dr.example.net", preference: 20 }                # when both of these are down
    addresses:
      "sales@": "lmtp://10.0.0.20:24"
  example.net: { deliver: "maildir:/var/mail/example.net/{local}" }    # a folder a person
\`\`\`

## Words for backends

| written | means |
| --- | --- |
| \`smtp://host[:port]\` | a mail server; port 25 where none is said |
| \`smtps://host[:port]\` | the same with TLS from the first octet; port 465. Its certificate is not verified yet, so \`tls: require\` must stand beside it |
| \`lmtp://host:port\`, \`lmtp:/path/to.sock\` | an LMTP server (RFC 2033) |
| \`maildir:/path\` | a Maildir of this machine. \`{local}\` as a segment of the path is the recipient's local part; its folder must exist, and nothing below is a link. Without it, say \`recipients:\`; the folder is made, but not what leads to it. Needs \`/proc\`: where that is not mounted, mail is put off (451), and the log says \`no /proc\` |
| \`mx\`, \`mx:domain\` | the published exchangers of the recipient's domain that are better than us, or those of another domain |

With \`mx\` Waypost must stand in the domain's MX itself, behind the servers that have the mailboxes: by its \`hostname\`, or by an address of this machine or of
\`publicAddresses\`. Otherwise whoever changes that DNS would make it a relay, so senders hear \`451 4.3.5\`, nothing is held, and the alert
\`route misconfigured\` names the domain; \`mx:domain\` asks for no such thing. Addresses that are not public are not tried without \`private: true\`.

Equal lists are one route, and equal backends share sessions and health. Of a domain's exchangers the 50 preferred ones are looked up, and of each the
first 100 IPv6 and IPv4 addresses that DNS gives; at most ten addresses in all are tried.

## Which route an address takes

1. \`addresses:\` of its domain: first \`local@domain\`, then \`local@\`, then the longest \`prefix*@\`.
2. \`deliver:\` of its domain; \`"*.example.com"\` covers every subdomain that is not declared itself.
3. Postmaster of our own \`hostname\`, and \`<Postmaster>\` without a domain, go to \`postmaster:\`. So does
   mail for \`postmaster@\` a declared domain that its backends do not take, because they say so or cannot be asked: it is not held, and does not come to them later.

A local part with \`@\`, \`%\` or \`!\` in it is refused unless it stands under \`addresses:\`. A domain that left the file is answered 451 for 7 days,
then 550. A reload that drops more than 10 domains and more than 1 % of them is refused until \`waypost config reload --allow-removal\`.

## Included files

Included files hold \`domains:\` and nothing else. Unless the include says \`trusted: true\`, they name no Maildir, no socket, no file and no private
address, and a host that they name is connected to at its public addresses alone.

## Secrets

An option that takes a secret is written \`\${NAME}\` (from the environment) or \`file:path\`; \`\${…}\` anywhere else is an error. A secret is read when it is
needed, and stands in no copy, log or output.
`

interface Part {
  readonly path: readonly string[]
  readonly schema: JsonSchema
}

/** The parts with keys of their own, below this one; each gets a section. */
function parts(schema: JsonSchema, path: readonly string[]): Part[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const { found, suffix } = keyed(inner)
    const here = [...path, `${key}${suffix}`]
    return found.flatMap((schema) => [{ path: here, schema }, ...parts(schema, here)])
  })
}

/** Where below a value its keys are: itself, the value of each name of a table, an element of a list; several where there are several kinds. */
function keyed(schema: JsonSchema): { readonly found: readonly JsonSchema[]; readonly suffix: string } {
  if (schema.properties) return { found: [schema], suffix: '' }
  if (schema.anyOf?.every((kind) => kind.properties?.type)) return { found: schema.anyOf, suffix: '' }
  const below: readonly (readonly [JsonSchema, string])[] = [
    ...(typeof schema.additionalProperties === 'object' ? [[schema.additionalProperties, '.<name>'] as const] : []),
    ...(schema.items ? [[schema.items, '[]'] as const] : []),
    ...(schema.anyOf ?? []).map((inner) => [inner, ''] as const),
  ]
  for (const [inner, suffix] of below) {
    const deeper = keyed(inner)
    if (deeper.found.length > 0) return { found: deeper.found, suffix: `${suffix}${deeper.suffix}` }
  }
  return { found: [], suffix: '' }
}

function section(path: readonly string[], schema: JsonSchema): string {
  const kind = schema.properties?.type?.enum
  const suffix = kind?.length === 1 ? ` with \`type: ${String(kind[0])}\`` : ''
  const title = path.length === 0 ? '## All keys' : `## \`${path.join('.')}\`${suffix}\n\n${schema.description ?? ''}`
  const rows = Object.entries(schema.properties ?? {}).map(([key, option]) => {
    const needed = schema.required?.includes(key) ? ' (needed)' : ''
    return `| \`${key}\`${needed} | ${cell(takes(option))} | ${cell(defaultText(option))} | ${cell(option.description ?? '')} |`
  })
  return [title, '', '| key | takes | default | what it is |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}

/** What the key takes; keys of its own stand in a section of their own. */
function takes(option: JsonSchema): string {
  return option.properties ? 'keys, see below' : (option.wants ?? '')
}

function defaultText({ default: value }: JsonSchema): string {
  if (value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)) return ''
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
