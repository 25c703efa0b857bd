/**
 * What the schema alone cannot tell of a configuration: named routes, postmaster, paths, values that contradict each other, and
 * `${…}` where it means nothing. Called by `read.ts`.
 */
import { join } from 'node:path'
import type { HostName } from '../dns/name.ts'
import { readHostName } from '../gateway/options.ts'
import type { Budgets, Limits } from '../gateway/settings.ts'
import { routingOptions } from '../routing/options.ts'
import { whyPairUnusable } from './certificate.ts'
import { siteOf } from './domains.ts'
import { explainIssues } from './explain.ts'
import type { PlannedGeneral } from './plan.ts'
import type { ReadDeps, ReadYaml } from './read.ts'
import type { RouteBook } from './routes.ts'
import { type GeneralOptions, type JsonSchema, schemasAt } from './schema.ts'
import type { Problem } from './source.ts'
import { placeOf, type YamlNode } from './yaml.ts'

type TrustedFile = ReadYaml & { readonly trusted: boolean }

const manner = { balance: 'round-robin', onDefer: 'pass' } as const

/** `routes:` into the book, entry by entry. */
export function readNamedRoutes(
  main: TrustedFile,
  book: RouteBook,
  problems: Problem[],
  schema: () => JsonSchema,
): void {
  const table = main.root.entries.get('routes')?.node
  if (table?.kind !== 'map') return
  for (const [name, entry] of table.entries) {
    const path = ['routes', name]
    if (name === 'mx' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
      const why = name === 'mx' ? 'is a backend' : 'is no name for a route: a-z, 0-9 and hyphens, 63 at most'
      problems.push(main.source.problem(entry.keyStart, entry.keyEnd, `"${name}" ${why}`))
    }
    const result = routingOptions.routes.unwrap().valueType.safeParse(entry.node.value)
    if (result.success) {
      book.name(name, result.data, siteOf(main, complainAt(main, path, problems)))
      continue
    }
    book.nameWrong(name)
    problems.push(...explainIssues(result.error.issues, { source: main.source, root: main.root, path, schema }))
  }
}

/** `defaults.deliver` is judged by itself, whether a domain uses it or not; then `postmaster:` or its default. */
export function readPostmaster(
  main: TrustedFile,
  general: GeneralOptions,
  state: string,
  book: RouteBook,
  problems: Problem[],
): number | undefined {
  const defaultDeliver = general.defaults.deliver
  if (defaultDeliver !== undefined)
    book.route('defaults', defaultDeliver, manner, siteOf(main, complainAt(main, ['defaults', 'deliver'], problems)))
  const deliver = general.postmaster ?? `maildir:${join(state, 'postmaster')}`
  const complain = complainAt(main, ['postmaster'], problems)
  const route = book.route('postmaster', deliver, manner, siteOf(main, complain))
  for (const { backend } of route === undefined ? [] : (book.routes[route]?.entries ?? [])) {
    if (backend.url === 'mx') complain([], 'mx has no domain here: write mx:domain')
    if (backend.url.includes('{local}')) complain([], '{local} has no meaning here: postmaster has one Maildir')
  }
  return route
}

function complainAt(main: ReadYaml, path: readonly PropertyKey[], problems: Problem[]) {
  return (below: readonly PropertyKey[], message: string) => {
    const { start, end } = placeOf(main.root, [...path, ...below])
    problems.push(main.source.problem(start, end, message))
  }
}

export async function planGeneral(
  main: ReadYaml,
  said: GeneralOptions,
  deps: ReadDeps,
  problems: Problem[],
): Promise<PlannedGeneral> {
  const wrong = (path: readonly PropertyKey[], message: string) => complainAt(main, path, problems)([], message)
  const hostname = said.hostname ?? machineName(deps.machineName)
  if (!hostname.includes('.'))
    wrong(['hostname'], 'hostname wants a full host name, such as mx1.example.com; this has no dot')
  refuseContradictions(said, wrong)
  const resolved = (path: string) => deps.files.resolve(main.folder, path)
  const tls = said.tls && { certificate: resolved(said.tls.certificate), key: resolved(said.tls.key) }
  for (const { file, why } of tls ? await whyPairUnusable(tls, deps.files) : []) wrong(['tls', file], why)
  return {
    hostname,
    listen: said.listen.smtp,
    state: resolved(said.state),
    tls,
    limits: said.limits satisfies Limits,
    budgets: planBudgets(said),
    publicAddresses: said.publicAddresses,
    resolver: said.resolver,
    bareNewline: said.bareNewline,
  }
}

/** A machine without a full name of its own still starts; what it says in EHLO is then as good as any (RFC 5321 §4.1.4). */
function machineName(name: string): HostName {
  const read = readHostName(name)
  return read.kind === 'value' && read.value.includes('.') ? read.value : ('localhost.localdomain' as HostName)
}

function refuseContradictions(
  said: GeneralOptions,
  wrong: (path: readonly PropertyKey[], message: string) => void,
): void {
  const seen = new Set<string>()
  for (const [index, { address, port }] of said.listen.smtp.entries()) {
    const key = `${address} ${port}`
    if (port !== 0 && seen.has(key)) wrong(['listen', 'smtp', index], 'this address stands in the list already')
    seen.add(key)
  }
  const { limits, budgets } = said
  // SEMANTICS.md §13: one network has a quarter of the spool, so a larger message could never come in.
  if (limits.messageBytes > limits.spool / 4)
    wrong(
      ['limits', 'messageBytes'],
      'limits.messageBytes is more than a quarter of limits.spool, which is what one network may use',
    )
  if (budgets.bodyReserve >= budgets.dot)
    wrong(
      ['budgets', 'bodyReserve'],
      'budgets.bodyReserve is no less than budgets.dot, so no body would ever be in time',
    )
  if (said.defaults.helo !== undefined) {
    const helo = readHostName(said.defaults.helo)
    if (helo.kind === 'no') wrong(['defaults', 'helo'], `defaults.helo wants a host name; this ${helo.why}`)
  }
}

function planBudgets({ budgets, shutdownGrace }: GeneralOptions): Budgets {
  return {
    connectMs: budgets.connect,
    mailMs: budgets.mail,
    rcptMs: budgets.rcpt,
    dotMs: budgets.dot,
    bodyReserveMs: budgets.bodyReserve,
    sessionMs: budgets.session,
    sessionIdleInTransactionMs: budgets.sessionIdle,
    commandMs: budgets.command,
    blockMs: budgets.block,
    messageMs: budgets.message,
    handshakeMs: budgets.handshake,
    shutdownGraceMs: shutdownGrace,
  }
}

/** `${…}` is read in secrets alone (SEMANTICS.md §12); elsewhere it would be taken as it stands, so it is told. */
export function refuseSubstitution(file: ReadYaml, schema: () => JsonSchema, problems: Problem[]): void {
  if (!file.source.text.includes('${')) return
  const walk = (node: YamlNode, path: readonly PropertyKey[]): void => {
    if (node.kind === 'list') node.items.forEach((item, index) => void walk(item, [...path, index]))
    if (node.kind === 'map') for (const [key, entry] of node.entries) walk(entry.node, [...path, key])
    if (node.kind !== 'scalar' || !node.value?.includes('${')) return
    if (schemasAt(schema(), path).some((part) => part['x-secret'])) return
    problems.push(
      file.source.problem(node.start, node.end, `"\${…}" is replaced in secrets only; write the value itself`),
    )
  }
  walk(file.root, [])
}
