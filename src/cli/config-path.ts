/** Which waypost.yaml a command means: `-c FILE`, else the usual places. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Option } from 'commander'

const usualPaths = ['waypost.yaml', '/etc/waypost/waypost.yaml']

export const configOption = (): Option =>
  new Option('-c, --config <file>', `the configuration (default: ./${usualPaths.join(', then ')})`)

export type ConfigPath =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'none'; readonly why: string }

export function findConfig(given: string | undefined): ConfigPath {
  if (given !== undefined) return { kind: 'path', path: resolve(given) }
  const found = usualPaths.find((path) => existsSync(path))
  if (found !== undefined) return { kind: 'path', path: resolve(found) }
  return {
    kind: 'none',
    why: `there is neither ./${usualPaths.join(' nor ')}; name a configuration with -c FILE (an example: examples/quickstart/waypost.yaml)`,
  }
}
