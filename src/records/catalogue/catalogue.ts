/**
 * The catalogue of mail providers: `providers.yaml` beside this file, read once. Checks recognise a domain's provider with it (recognise.ts),
 * `waypost plan` and `migrate` take a provider's records from it (records-for.ts), `waypost init` does both.
 */
import { readFileSync } from 'node:fs'
import { createHostIndex, type HostIndex } from './host-index.ts'
import { parseCatalogue } from './parse.ts'
import type { Provider } from './provider.ts'

export interface Catalogue {
  readonly providers: readonly Provider[]
  readonly byId: ReadonlyMap<string, Provider>
  readonly index: HostIndex
}

export function createCatalogue(providers: readonly Provider[]): Catalogue {
  return {
    providers,
    byId: new Map(providers.map((provider) => [provider.id, provider])),
    index: createHostIndex(providers),
  }
}

let read: Catalogue | undefined

/**
 * The catalogue that Waypost brings: a constant of the program, kept in a file so that people can read and mend it. The first call takes
 * some milliseconds.
 * @throws Error where the file is not as it was built
 */
export function catalogue(): Catalogue {
  if (read === undefined) {
    const parsed = parseCatalogue(readFileSync(new URL('./providers.yaml', import.meta.url), 'utf8'))
    if (parsed.kind === 'invalid')
      throw new Error(`the catalogue of providers is damaged: ${parsed.problems.join('; ')}`)
    read = createCatalogue(parsed.providers)
  }
  return read
}

/** Every provider, in the order of the file. */
export const providers = (): readonly Provider[] => catalogue().providers
