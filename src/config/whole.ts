/**
 * What the schema alone cannot tell of a configuration: named routes, postmaster, paths, values that contradict each other, and
 * `${…}` where it means nothing. Called by `read.ts`.
 */
import { join } from 'node:path'
import type { HostName } from '../dns/name.ts'
import { readHostName } from '../gateway/options.ts'
import type { Budgets, Limits } from '../gateway/settings.ts'
import { noDelivery, routingOptions } from '../routing/options.ts'
import { doubtCertificate, planCertificate, readPair } from './certificate.ts'
import { siteOf } from './domains.ts'
import { valueAt } from './explain.ts'
import { holdAgainst } from './hold-against.ts'
import { refuseSharedPlaces } from './listen.ts'
import type { PlannedCertificate, PlannedGeneral } from './plan.ts'
import type { ReadDeps, ReadYaml } from './read-yaml.ts'
import type { RouteBook } from './routes.ts'
import { rightBackends } from './salvage.ts'
import { type GeneralOptions, type JsonSchema, schemasAt } from './schema.ts'
import type { Problem } from './source.ts'
import { placeOf, type YamlNode } from './yaml.ts'

type TrustedFile = ReadYaml & { readonly trusted: boolean }

const manner = { balance: 'round-robin', onDefer: 'pass' } as const

/** Names that no route may have. */
const namesOfOurOwn: ReadonlyMap<string, string> = new Map([
  ['mx', 'is a backend'],
  [noDelivery, 'says of a domain that its mail goes elsewhere'],
  ['outbound', 'is the way of mail of our own'],
])

/** `routes:` into the book, entry by entry. */
export function readNamedRoutes(
  main: TrustedFile,
  book: RouteBook,
  problems: Problem[],
  schema: () => JsonSchema,
): void {
  const table = main.root.entries.get('routes')?.node
  // Not a table, which was told: then nobody knows the names.
  if (table && table.kind !== 'map') book.nameAny()
  if (table?.kind !== 'map') return
  for (const [name, { keyStart, keyEnd, node }] of table.entries) {
    const path = ['routes', name]
    const taken = namesOfOurOwn.get(name)
    if (taken !== undefined || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
      const why = taken === undefined ? 'a-z, 0-9 and hyphens, 63 at most' : `it ${taken}. Choose another`
      problems.push(main.source.problem(keyStart, keyEnd, `"${name}" is no name for a route: ${why}`))
    }
    const schemaOfOne = routingOptions.routes.unwrap().valueType
    const checked = { source: main.source, root: main.root, path, schema }
    const held = holdAgainst(schemaOfOne, () => node.value, checked, problems)
    const site = siteOf(main, complainAt(main, path, problems))
    if (held.kind === 'read') book.name(name, held.value, site)
    else {
      book.nameWrong(name)
      book.look(rightBackends(node.value), site)
    }
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
  if (defaultDeliver !== undefined && defaultDeliver !== noDelivery)
    book.route('defaults', defaultDeliver, manner, siteOf(main, complainAt(main, ['defaults', 'deliver'], problems)))
  if (defaultDeliver === undefined) lookAt(['defaults', 'deliver'], main, book, problems)
  if (general.postmaster === undefined) lookAt(['postmaster'], main, book, problems)
  const deliver = general.postmaster ?? `maildir:${join(state, 'postmaster')}`
  const complain = complainAt(main, ['postmaster'], problems)
  const route = book.route('postmaster', deliver, manner, siteOf(main, complain))
  for (const { backend } of route === undefined ? [] : (book.routes[route]?.entries ?? [])) {
    if (backend.url === 'mx') complain([], 'mx has no domain here: write mx:domain')
    if (backend.url.includes('{local}')) complain([], '{local} has no meaning here: postmaster has one Maildir')
  }
  return route
}

/** `outbound.via`: where mail of our own goes, whosever domain it is for. */
export function readOutboundVia(
  main: TrustedFile,
  general: GeneralOptions,
  book: RouteBook,
  problems: Problem[],
): number | undefined {
  const { via } = general.outbound
  if (via === undefined) {
    lookAt(['outbound', 'via'], main, book, problems)
    return undefined
  }
  const complain = complainAt(main, ['outbound', 'via'], problems)
  const route = book.route('outbound', via, manner, siteOf(main, complain))
  for (const { backend } of route === undefined ? [] : (book.routes[route]?.entries ?? [])) {
    if (backend.url === 'mx') complain([], 'mx is what is done without outbound.via: leave it out, or name a backend')
    if (backend.address.protocol === 'maildir') complain([], 'a Maildir hands nothing on: name a server')
  }
  return route
}

/** A list in which the schema found something wrong: what is right of it is judged, too. */
function lookAt(path: readonly PropertyKey[], main: TrustedFile, book: RouteBook, problems: Problem[]): void {
  book.look(rightBackends(valueAt(main.root, path)), siteOf(main, complainAt(main, path, problems)))
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
  remarks: Problem[],
  certificates: Record<string, PlannedCertificate>,
): Promise<PlannedGeneral> {
  const wrong = (path: readonly PropertyKey[], message: string) => complainAt(main, path, problems)([], message)
  const hostname = said.hostname ?? machineName(deps.machineName)
  if (!hostname.includes('.'))
    wrong(['hostname'], 'hostname wants a full host name, such as mx1.example.com; this has no dot')
  refuseContradictions(said, wrong)
  const { hold, freeSpace, ...limits } = said.limits
  const resolved = (path: string) => deps.files.resolve(main.folder, path)
  const tls = said.tls && { certificate: resolved(said.tls.certificate), key: resolved(said.tls.key) }
  const pair = tls && (await readPair(tls, deps.files))
  for (const { file, why } of pair?.wrong ?? []) wrong(['tls', file], why)
  if (tls && pair?.certificate) {
    const { certificateEndsWithin: endsWithinMs } = said.watch
    const shown = { path: tls.certificate, nowMs: deps.nowMs, endsWithinMs }
    certificates.tls = planCertificate(pair.certificate)
    for (const doubt of doubtCertificate(pair.certificate, shown, hostname))
      complainAt(main, ['tls', 'certificate'], remarks)([], doubt)
  }
  return {
    hostname,
    listen: said.listen.smtp,
    state: resolved(said.state),
    logFile: said.log.file === undefined ? undefined : resolved(said.log.file),
    tls,
    limits: limits satisfies Limits,
    holdLimits: { holdBytes: hold, freeBytes: freeSpace },
    budgets: planBudgets(said),
    publicAddresses: said.publicAddresses,
    resolver: said.resolver,
    bareNewline: said.bareNewline,
    eightBit: said.eightBit,
    dsn: said.listen.dsn ?? true,
    trusted: said.trusted,
    outboundFrom: said.outbound.from,
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
  refuseSharedPlaces(said.listen, wrong)
  const { limits, budgets } = said
  // One network has a quarter of the spool, so a larger message could never come in.
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
    firstMailMs: budgets.firstMail,
    connectionMs: budgets.connection,
    blockMs: budgets.block,
    messageMs: budgets.message,
    handshakeMs: budgets.handshake,
    shutdownGraceMs: shutdownGrace,
  }
}

/**
 * `${…}` is read in secrets alone; elsewhere it would be taken as it stands, so it is told. What is written `"\u0024{"` means the characters.
 */
export function refuseSubstitution(file: ReadYaml, schema: () => JsonSchema, problems: Problem[]): void {
  if (!file.source.text.includes('${')) return
  const walk = (node: YamlNode, path: readonly PropertyKey[]): void => {
    if (node.kind === 'list') node.items.forEach((item, index) => void walk(item, [...path, index]))
    if (node.kind === 'map') for (const [key, entry] of node.entries) walk(entry.node, [...path, key])
    if (node.kind !== 'scalar' || !node.value?.includes('${')) return
    const written = file.source.text.slice(node.start, node.end)
    if (!written.includes('${') && !written.startsWith('*')) return
    if (schemasAt(schema(), path).some((part) => part.writeOnly)) return
    problems.push(
      file.source.problem(
        node.start,
        node.end,
        `"\${…}" is replaced in secrets only; write the value itself, and where these characters are meant, "\\u0024{" within double quotes`,
      ),
    )
  }
  walk(file.root, [])
}
