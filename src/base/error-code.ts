/**
 * The code that the system or Node gives an error: how every room tells what can be expected to fail (a file that is not there, a connection
 * refused) from a bug, which has none.
 */

/** `ENOENT`, `ERR_INVALID_ARG_TYPE`; undefined where the error has no code, or is none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code === undefined) return undefined
  return String(error.code)
}

/** There is no such file or folder. */
export const isMissing = (error: unknown): boolean => errorCode(error) === 'ENOENT'
