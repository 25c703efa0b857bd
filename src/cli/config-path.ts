/** Which waypost.yaml a command means: `-c FILE`, else the usual places. */
import { existsSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { Option } from 'commander'
import { quotedWord } from './quoted-word.ts'

const usualPaths = ['waypost.yaml', '/etc/waypost/waypost.yaml']

/** What `npm start` runs on. It is there in a checkout alone, where one stands in its folder. */
const quickStart = 'examples/quickstart/waypost.yaml'

const isCheckout = (): boolean => existsSync(quickStart)

export const configOption = (): Option => optionOf(usualPaths)

/** Of commands that speak with the running gateway (`findRunningConfig`). */
export const runningConfigOption = (): Option => optionOf(isCheckout() ? [...usualPaths, quickStart] : usualPaths)

const optionOf = (paths: readonly string[]): Option =>
  new Option('-c, --config <file>', `the configuration (default: ./${paths.join(', then ')})`)

export type ConfigPath =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'none'; readonly why: string }

export function findConfig(given: string | undefined): ConfigPath {
  if (given !== undefined) return { kind: 'path', path: resolve(given) }
  const found = usualPaths.find((path) => existsSync(path))
  if (found !== undefined) return { kind: 'path', path: resolve(found) }
  const hint = isCheckout() ? `an example: -c ${quickStart}` : '"waypost init example.com" writes a first one'
  return {
    kind: 'none',
    why: `there is neither ./${usualPaths.join(' nor ')}; name a configuration with -c FILE (${hint})`,
  }
}

/** The same for a command that speaks with the running gateway: in a checkout without a configuration of its own that of `npm start` is meant. */
export function findRunningConfig(given: string | undefined): ConfigPath {
  const found = findConfig(given)
  return found.kind === 'none' && isCheckout() ? { kind: 'path', path: resolve(quickStart) } : found
}

/** What has to stand behind a command that it finds the gateway of this configuration: ` -c FILE`, or nothing. @param path  absolute */
export function configWords(path: string): string {
  const found = findRunningConfig(undefined)
  if (found.kind === 'path' && found.path === path) return ''
  const near = relative('', path)
  const shown = near.startsWith('..') || isAbsolute(near) ? path : near
  return ` -c ${quotedWord(shown)}`
}

/** For the examples of `--help`: a configuration that is there, or the one that people will have. */
export const exampleConfig = (): string => (isCheckout() ? quickStart : 'waypost.yaml')
