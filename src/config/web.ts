/** `listen.http` and `web:` → the settings of the dashboard. Called by `read.ts`. */
import { parseIp } from '../base/ip.ts'
import { isLoopback } from '../base/loopback.ts'
import { defaultHttpPlace } from '../web/options.ts'
import type { WebSettings } from '../web/settings.ts'
import { doubtWebCertificate, planCertificate, readPair } from './certificate.ts'
import type { PlannedCertificate } from './plan.ts'
import type { ReadDeps, ReadYaml } from './read-yaml.ts'
import type { GeneralOptions } from './schema.ts'
import type { Problem } from './source.ts'
import { placeOf } from './yaml.ts'

/** @param unread  the sections in which something is wrong, so that `said` has their defaults: what is missing there is no second mistake */
export async function planWeb(
  main: ReadYaml,
  said: GeneralOptions,
  unread: ReadonlySet<PropertyKey>,
  deps: ReadDeps,
  problems: Problem[],
  remarks: Problem[],
  certificates: Record<string, PlannedCertificate>,
): Promise<WebSettings> {
  const told = (to: Problem[]) => (path: readonly PropertyKey[], message: string) => {
    const { start, end } = placeOf(main.root, path)
    to.push(main.source.problem(start, end, message))
  }
  const wrong = told(problems)
  const { http } = said.listen
  const { access, hosts } = said.web
  const listen = http ?? [defaultPlace]
  const files = said.web.tls ?? said.tls
  const resolved = (path: string) => deps.files.resolve(main.folder, path)
  const tls = files && { certificate: resolved(files.certificate), key: resolved(files.key) }
  const pair = tls && said.web.tls && (await readPair(tls, deps.files))
  for (const { file, why } of pair?.wrong ?? []) wrong(['web', 'tls', file], why)
  if (tls && pair?.certificate) {
    const { certificateEndsWithin: endsWithinMs } = said.watch
    const shown = { path: tls.certificate, nowMs: deps.nowMs, endsWithinMs }
    certificates['web.tls'] = planCertificate(pair.certificate)
    for (const doubt of doubtWebCertificate(pair.certificate, shown, hosts))
      told(remarks)(['web', 'tls', 'certificate'], doubt)
  }
  const names = new Set<string>()
  for (const [index, { name }] of access.entries()) {
    if (names.has(name)) wrong(['web', 'access', index, 'name'], `"${name}" stands in the list already`)
    names.add(name)
  }
  if (!listen.every(({ address }) => isLoopback(address))) {
    // Who is not on this machine must say who he is, and nobody must read that on the way.
    if (access.length === 0 && !unread.has('web'))
      wrong(
        ['listen', 'http'],
        'elsewhere than on loopback the dashboard wants a token or a password: "waypost web token" makes one for web.access',
      )
    if (!tls && !unread.has('web') && !unread.has('tls'))
      wrong(['listen', 'http'], 'elsewhere than on loopback the dashboard wants a certificate: web.tls, or tls')
  }
  // On loopback alone nobody listens in, and the certificate of the exchanger has no name for it.
  const isPlain = !said.web.tls && listen.every(({ address }) => isLoopback(address))
  return { listen, isDefaultPlace: http === undefined, tls: isPlain ? undefined : tls, hosts, access }
}

const defaultPlace = (() => {
  const [host = '', port] = defaultHttpPlace.split(':')
  const address = parseIp(host)
  if (address === undefined) throw new TypeError('the default place is an address')
  return { address, port: Number(port) }
})()
