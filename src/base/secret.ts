/**
 * Reads a secret from where the configuration says that it is (`option.ts`, `secret`): when it is needed, and never earlier, so that it stands in
 * no settings, copy or log. Called by `cli`, which knows the environment.
 */
import { readFile, stat } from 'node:fs/promises'
import { errorCode } from './error-code.ts'
import type { SecretSource } from './option.ts'
import { printable } from './printable.ts'

export type ReadSecret =
  | { readonly kind: 'secret'; readonly text: string }
  /** `why` says nothing of the secret itself. */
  | { readonly kind: 'missing'; readonly why: string }

export type SecretReader = (source: SecretSource) => Promise<ReadSecret>

/** A file of secrets is small; a device or a log file by mistake is not. */
const maxBytes = 64 * 1024

/** @param variable  of the environment, undefined where it is not set */
export function createSecretReader(variable: (name: string) => string | undefined): SecretReader {
  return async (source) => {
    if (source.kind === 'environment') {
      const text = variable(source.variable)
      if (text === undefined || text === '')
        return { kind: 'missing', why: `the environment has no ${source.variable}, where a secret was to be` }
      return { kind: 'secret', text }
    }
    const shown = printable(source.path, 300)
    try {
      const { size } = await stat(source.path)
      if (size > maxBytes) return { kind: 'missing', why: `${shown} is no file with a secret: it has ${size} octets` }
      const text = (await readFile(source.path, 'utf8')).replace(/\r?\n$/, '')
      return text === '' ? { kind: 'missing', why: `${shown} is empty` } : { kind: 'secret', text }
    } catch (error) {
      const code = errorCode(error)
      if (code === undefined) throw error
      return { kind: 'missing', why: `${shown} cannot be read (${code})` }
    }
  }
}
