/** Why a listener could not be bound, in words: for a start and for a reload. */

/** @returns undefined where the error is another one */
export function whyNotBound(error: unknown): string | undefined {
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown }
  const host = String(address)
  const place = address === undefined ? 'a listener' : `${host.includes(':') ? `[${host}]` : host}:${String(port)}`
  if (code === 'EADDRINUSE') return `${place} is taken by another process`
  if (code === 'EACCES') return `this user may not listen on ${place}; ports below 1024 need CAP_NET_BIND_SERVICE`
  if (code === 'EADDRNOTAVAIL') return `${place} is no address of this machine`
  return undefined
}
