/**
 * `publishers:`, `listen.dns` and `dns:` → what `cli` makes targets and the built-in server of. Called by `read.ts`. Secrets stay where they
 * are: only where to find them is known here.
 */
import type { SecretSource } from '../base/option.ts'
import type { PublisherOptions } from '../publish/options.ts'
import type { PlannedPublishing } from './plan.ts'
import type { ReadDeps, ReadYaml } from './read-yaml.ts'
import type { GeneralOptions } from './schema.ts'
import type { Problem } from './source.ts'
import { keyPlaceOf, placeOf } from './yaml.ts'

/** Every configuration has it: the server of `listen.dns`. */
const builtinName = 'builtin'

/** The names that `publish:` may say, with what kind each says that it is. */
export function publisherKinds({ root }: ReadYaml): ReadonlyMap<string, string | undefined> {
  // As they are written: one that is wrong is complained of once, and not wherever it is named.
  const table = root.entries.get('publishers')?.node
  const kinds = new Map<string, string | undefined>()
  for (const [name, { node }] of table?.kind === 'map' ? table.entries : []) {
    const type = node.kind === 'map' ? node.entries.get('type')?.node : undefined
    kinds.set(name, type?.kind === 'scalar' ? (type.value ?? undefined) : undefined)
  }
  if (!kinds.has(builtinName)) kinds.set(builtinName, 'builtin')
  return kinds
}

export function planPublishing(
  main: ReadYaml,
  said: GeneralOptions,
  deps: ReadDeps,
  problems: Problem[],
): PlannedPublishing {
  const resolved = (path: string) => deps.files.resolve(main.folder, path)
  const source = (secret: SecretSource): SecretSource =>
    secret.kind === 'file' ? { kind: 'file', path: resolved(secret.path) } : secret
  const wrong = (path: readonly PropertyKey[], message: string) => {
    const { start, end } = placeOf(main.root, path)
    problems.push(main.source.problem(start, end, message))
  }
  const publishers: Record<string, PublisherOptions> = {}
  for (const [name, publisher] of Object.entries(said.publishers)) {
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/i.test(name)) {
      const { start, end } = keyPlaceOf(main.root, ['publishers', name])
      problems.push(
        main.source.problem(
          start,
          end,
          `"${name}" is no name for a publisher: letters, digits and hyphens, 63 at most`,
        ),
      )
    }
    if (name === builtinName && publisher.type !== 'builtin')
      wrong(['publishers', name, 'type'], '"builtin" is the built-in server: give this publisher another name')
    publishers[name] = withPaths(publisher, resolved, source)
  }
  publishers[builtinName] ??= { type: 'builtin', negativeTtl: 300_000 }
  const { publish } = said.defaults
  if (publish !== undefined && !publisherKinds(main).has(publish))
    wrong(['defaults', 'publish'], `"${publish}" is no name under publishers:`)
  const { dns } = said
  return {
    publishers,
    listenDns: said.listen.dns ?? [],
    dns: {
      ...dns,
      cookies: { ...dns.cookies, secrets: dns.cookies.secrets.map(source) },
      keys: Object.fromEntries(
        Object.entries(dns.keys).map(([name, key]) => [name, { ...key, secret: source(key.secret) }]),
      ),
    },
  }
}

function withPaths(
  publisher: PublisherOptions,
  resolved: (path: string) => string,
  source: (secret: SecretSource) => SecretSource,
): PublisherOptions {
  const pathOf = (path: string | undefined) => (path === undefined ? undefined : resolved(path))
  switch (publisher.type) {
    case 'rfc2136':
      return { ...publisher, tsig: publisher.tsig && { ...publisher.tsig, secret: source(publisher.tsig.secret) } }
    case 'zonefile':
      return { ...publisher, path: resolved(publisher.path) }
    case 'powerdns':
      return {
        ...publisher,
        apiKey: source(publisher.apiKey),
        ca: pathOf(publisher.ca),
      }
    case 'cloudflare':
      return { ...publisher, token: source(publisher.token), ca: pathOf(publisher.ca) }
    case 'route53':
      return {
        ...publisher,
        accessKeyId: source(publisher.accessKeyId),
        secretAccessKey: source(publisher.secretAccessKey),
        sessionToken: publisher.sessionToken && source(publisher.sessionToken),
        ca: pathOf(publisher.ca),
      }
    case 'builtin':
      return publisher
  }
}
