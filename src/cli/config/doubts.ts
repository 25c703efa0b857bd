/**
 * What a configuration names and this machine or this environment does not have: secrets that are not there, programs that cannot be started. The
 * service may have another environment, so it is worth a look and no mistake. Called by `waypost config check`.
 */
import type { SecretSource } from '../../base/option.ts'
import type { SecretReader } from '../../base/secret.ts'
import { whyNotStartable } from '../../base/startable.ts'
import { pathText } from '../../config/explain.ts'
import type { Loaded } from '../../config/load.ts'

/** Sentences with the key in front. No secret is told. */
export async function doubtsOf(
  { watching, publishing: { publishers, dns } }: Pick<Loaded, 'watching' | 'publishing'>,
  readSecret: SecretReader,
): Promise<readonly string[]> {
  const { alerts } = watching
  const secrets = await Promise.all(
    sourcesIn({ publishers, dns, alerts }, []).map(async ({ path, source }) => {
      const read = await readSecret(source)
      return read.kind === 'missing' ? [`${pathText(path)}: ${read.why}`] : []
    }),
  )
  const named = [
    ...alerts.command.map(({ run }, index) => ({ path: ['alerts', 'command', index, 'run'], run })),
    ...Object.entries(publishers).flatMap(([name, publisher]) =>
      publisher.type === 'zonefile'
        ? (['check', 'reload'] as const).map((key) => ({ path: ['publishers', name, key], run: publisher[key] }))
        : [],
    ),
  ]
  const programs = await Promise.all(
    named.map(async ({ path, run }) => {
      const why = run && (await whyNotStartable(run[0] ?? ''))
      return why === undefined ? [] : [`${pathText(path)}: ${why}`]
    }),
  )
  return [...secrets, ...programs].flat()
}

interface Found {
  readonly path: readonly PropertyKey[]
  readonly source: SecretSource
}

function sourcesIn(value: unknown, path: readonly PropertyKey[]): readonly Found[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => sourcesIn(each, [...path, index]))
  if (typeof value !== 'object' || value === null) return []
  if (isSource(value)) return [{ path, source: value }]
  return Object.entries(value).flatMap(([name, each]) => sourcesIn(each, [...path, name]))
}

function isSource(value: object): value is SecretSource {
  if (!('kind' in value)) return false
  return (value.kind === 'environment' && 'variable' in value) || (value.kind === 'file' && 'path' in value)
}
