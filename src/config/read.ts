/**
 * waypost.yaml and what it includes → a `Plan`, or everything that is wrong with it, with places:
 *   file → text (`files.ts`) → values with places (`yaml.ts`) → held against the schema (`schema.ts`, `explain.ts`)
 *   → names, routes, domains (`routes.ts`, `domains.ts`) → what only the whole can tell (`whole.ts`) → plan.
 * A mistake in one part hides none in another. Called by `load.ts` on the main thread and by `worker.ts` beside it.
 */

import { holdPolicy } from '../routing/hold-policy.ts'
import { createDomainReader } from './domains.ts'
import { holdAgainst } from './hold-against.ts'
import { readIncludes } from './include.ts'
import { writtenPlaces } from './listen.ts'
import type { Plan, PlannedCertificate } from './plan.ts'
import { planPublishing, publisherKinds } from './publishing.ts'
import { type ReadDeps, type ReadYaml, readYamlFile } from './read-yaml.ts'
import { createRecipientFiles } from './recipients.ts'
import { createRouteBook } from './routes.ts'
import { withoutWrong } from './salvage.ts'
import { fileSchema, type GeneralOptions, generalSchema, type JsonSchema, toJsonSchema } from './schema.ts'
import { type Problem, problemOfFile, sortProblems } from './source.ts'
import { planWatching } from './watching.ts'
import { planWeb } from './web.ts'
import { planGeneral, readNamedRoutes, readOutboundVia, readPostmaster, refuseSubstitution } from './whole.ts'
import { keyPlaceOf, placeOf } from './yaml.ts'

export type ReadConfig =
  | {
      readonly kind: 'read'
      readonly plan: Plan
      readonly files: readonly string[]
      readonly remarks: readonly Problem[]
    }
  /** `state`: the state folder that the file names, as far as it could be read: a copy of the last good one lies there. */
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[]; readonly state?: string }

/** @param path  absolute */
export async function readConfig(path: string, deps: ReadDeps): Promise<ReadConfig> {
  const problems: Problem[] = []
  const schema = once(() => toJsonSchema(fileSchema))
  const main = await readYamlFile(path, deps.files, problems, (why) =>
    problemOfFile(path, `${why}. Name another with -c FILE`),
  )
  if (!main) return { kind: 'invalid', problems }

  const { general, unread } = checkGeneral(main, problems, schema)
  const trustedMain = { ...main, trusted: true }
  const { defaults } = general
  const book = createRouteBook(defaults, { listen: general.listen.smtp, publicAddresses: general.publicAddresses })
  readNamedRoutes(trustedMain, book, problems, schema)

  const saidDefaults = main.root.entries.get('defaults')?.node
  const inDefaults = new Set(saidDefaults?.kind === 'map' ? saidDefaults.entries.keys() : [])
  const publishers = publisherKinds(main)
  const recipientFiles = createRecipientFiles(deps.files, main.folder, problems)
  const remarks: Problem[] = []
  const hasDns = (general.listen.dns ?? []).length > 0
  const reader = createDomainReader({
    ...{ book, recipientFiles, problems, remarks, schema, inDefaults, publishers, hasDns },
  })
  const hold = holdPolicy({}, defaults)
  await reader.read({ ...trustedMain, defaults, hold })
  for (const included of await readIncludes(main, general.include, deps.files, problems)) {
    await reader.read({ ...included, defaults, hold })
  }
  refuseSubstitution(main, schema, problems)

  const certificates: Record<string, PlannedCertificate> = {}
  const planned = await planGeneral(main, general, deps, problems, remarks, certificates)
  const publishing = planPublishing(main, general, deps, problems)
  const watching = planWatching(main, general, deps, problems)
  const web = await planWeb(main, general, unread, deps, problems, remarks, certificates)
  const postmaster = readPostmaster(trustedMain, general, planned.state, book, problems)
  const outboundVia = readOutboundVia(trustedMain, general, book, problems)
  const listens = { smtp: planned.listen, dns: publishing.listenDns, http: web.listen }
  const files = [...deps.files.copies.keys()]
  if (reader.domains.length === 0) remarks.push(noDomains(main))
  if (problems.length > 0 || postmaster === undefined)
    return { kind: 'invalid', problems: sortProblems(problems, files), state: planned.state }
  return {
    kind: 'read',
    plan: {
      general: planned,
      routes: book.routes,
      postmaster,
      outboundVia,
      domains: reader.domains,
      publishing,
      watching,
      web,
      listeners: writtenPlaces(main, listens),
      certificates,
      said: plainly(withoutTables(main)),
      stateWritten: writtenAt(main, 'state'),
      logFileWritten: writtenAt(main, 'log', 'file'),
    },
    files,
    remarks: sortProblems(remarks, files),
  }
}

interface CheckedGeneral {
  readonly general: GeneralOptions
  /** The sections in which something is wrong. */
  readonly unread: ReadonlySet<PropertyKey>
}

/**
 * Everything but domains and routes, whose entries are checked one by one.
 * @returns what is in order, with defaults for what is not: so a mistake in one section hides none in another
 */
function checkGeneral(main: ReadYaml, problems: Problem[], schema: () => JsonSchema): CheckedGeneral {
  const checked = { source: main.source, root: main.root, path: [], schema }
  const generalOf = () => withoutTables(main)
  const held = holdAgainst(generalSchema, generalOf, checked, problems)
  // Read behind it: these two may be what a misspelt key was meant for.
  const { domains, routes } = main.root.value
  for (const [key, value] of Object.entries({ domains, routes })) {
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (isTable || value === undefined) continue
    // The schema says in its own words what is wanted; the entries are not looked at here.
    holdAgainst(tablesSchema, () => ({ [key]: value }), checked, problems)
  }
  if (domains === undefined && !main.root.entries.has('include'))
    problems.push(main.source.problem(0, 1, '"domains" is missing: the domains whose mail Waypost takes'))
  if (held.kind === 'read') return { general: held.value, unread: new Set() }
  const { issues } = held
  return {
    general: generalSchema.parse(withoutWrong(generalOf(), issues, ['defaults', 'outbound'])),
    unread: new Set(issues.flatMap(({ path }) => path.slice(0, 1))),
  }
}

/** Who begins with nothing, or whose included files are empty, has a gateway that takes no mail. */
function noDomains({ root, source }: ReadYaml): Problem {
  const { start, end } = root.entries.has('domains') ? keyPlaceOf(root, ['domains']) : keyPlaceOf(root, ['include'])
  const what = 'no domain is declared, so all mail is refused but that for postmaster: write the domains that are yours'
  return source.problem(start, end, `${what}, such as "domains: { example.com: { deliver: smtp://mail.example.com } }"`)
}

function withoutTables({ root }: ReadYaml) {
  const { domains: _domains, routes: _routes, ...rest } = root.value
  return rest
}

/** The same whichever thread has read it. */
const plainly = (value: Readonly<Record<string, unknown>>): Record<string, unknown> => JSON.parse(JSON.stringify(value))

/** Undefined where the file says nothing of the section. */
function writtenAt(
  { root, source }: ReadYaml,
  section: string,
  ...below: string[]
): Omit<Problem, 'message'> | undefined {
  if (!root.entries.has(section)) return undefined
  const { start, end } = placeOf(root, [section, ...below])
  return source.problem(start, end, '')
}

const tablesSchema = fileSchema.pick({ domains: true, routes: true })

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
