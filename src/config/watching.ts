/** `watch:` and `alerts:` → what `watch` is told. Called by `read.ts`. Secrets stay where they are: only where to find them is known here. */
import type { SecretSource } from '../base/option.ts'
import type { AlertOptions } from '../watch/options.ts'
import type { WatchingSettings } from '../watch/settings.ts'
import type { ReadDeps, ReadYaml } from './read-yaml.ts'
import type { GeneralOptions } from './schema.ts'
import type { Problem } from './source.ts'
import { placeOf } from './yaml.ts'

export function planWatching(
  main: ReadYaml,
  { watch, alerts }: GeneralOptions,
  deps: ReadDeps,
  problems: Problem[],
): WatchingSettings {
  const resolved = (path: string) => deps.files.resolve(main.folder, path)
  const secret = (source: SecretSource): SecretSource =>
    source.kind === 'file' ? { kind: 'file', path: resolved(source.path) } : source
  const withCa = <Options extends { readonly ca?: string | undefined }>(options: Options): Options =>
    options.ca === undefined ? options : { ...options, ca: resolved(options.ca) }
  const wrong = (path: readonly PropertyKey[], message: string) => {
    const { start, end } = placeOf(main.root, ['alerts', ...path])
    problems.push(main.source.problem(start, end, message))
  }
  refuseContradictions(alerts, wrong)
  const url = (of: AlertOptions['webhook'][number]['url']) => ('kind' in of ? secret(of) : of)
  return {
    watch,
    alerts: {
      ...alerts,
      email: alerts.email.map((each) => ({ ...withCa(each), password: each.password && secret(each.password) })),
      webhook: alerts.webhook.map((each) => ({
        ...withCa(each),
        url: url(each.url),
        token: each.token && secret(each.token),
      })),
      ping: alerts.ping && { ...withCa(alerts.ping), url: url(alerts.ping.url) },
    },
  }
}

function refuseContradictions(
  { email, webhook, command, quiet }: AlertOptions,
  wrong: (path: readonly PropertyKey[], message: string) => void,
): void {
  for (const [at, { to, user, password }] of email.entries()) {
    if (to.length === 0) wrong(['email', at], 'it says nobody whom it goes to: to: [admin@example.net]')
    if ((user === undefined) !== (password === undefined))
      wrong(['email', at, user === undefined ? 'password' : 'user'], 'user and password go together')
  }
  for (const [at, { form, room }] of webhook.entries()) {
    if ((form === 'matrix') !== (room !== undefined))
      wrong(
        ['webhook', at, room === undefined ? 'form' : 'room'],
        room === undefined ? 'form: matrix wants a room' : 'a room has a meaning with form: matrix alone',
      )
  }
  for (const [at, { run }] of command.entries())
    if (run.length === 0) wrong(['command', at, 'run'], 'it names no program')
  if (quiet && quiet.from === quiet.until)
    wrong(['quiet'], 'hours that begin when they end are none: leave quiet out, or say when they end')
}
