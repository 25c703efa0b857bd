/**
 * Backends as Postfix writes them, in the spelling that is ours: `relay:[host]:25`, `lmtp:inet:host:24`, `lmtp:unix:/path`. Two of them would pass for
 * relative paths. Pure; called by `parse-backend.ts` for what it refuses.
 */

/** Where Postfix looks for what it names without a leading slash. */
const queueFolder = '/var/spool/postfix'

/** @returns what to write instead; undefined where nothing of Postfix is seen in it */
export function meantByPostfix(text: string): string | undefined {
  const [, scheme = '', rest = ''] =
    /^(smtps?|relay|(?:lmtp:)?(?:inet|unix)|lmtp):([^\s/].*|\/[^\s/].*)$/is.exec(text) ?? []
  switch (scheme.toLowerCase()) {
    case 'smtp':
    case 'relay':
      return ifHost('smtp', rest)
    case 'smtps':
      return ifHost('smtps', rest)
    case 'inet':
    case 'lmtp:inet':
      // lmtp_tcp_port, where none is said.
      return ifHost('lmtp', /:\d+$/.test(rest) ? rest : `${rest}:24`)
    case 'unix':
    case 'lmtp:unix':
      return `lmtp:${rest.startsWith('/') ? rest : `${queueFolder}/${rest}`}`
    case 'lmtp':
      if (/^(?:private|public)\/./.test(rest)) return `lmtp:${queueFolder}/${rest}`
      return /:\d+$/.test(rest) ? ifHost('lmtp', rest) : undefined
    default:
      return undefined
  }
}

/** Square brackets say "no MX look-up" there; here they belong to IPv6 addresses alone. */
function ifHost(scheme: string, rest: string): string | undefined {
  const [, name, address, port = ''] =
    /^(?:\[?([A-Za-z0-9.-]+)\]?|\[(?:IPv6:)?([0-9A-Fa-f:.]+)\])(:\d{1,5})?$/.exec(rest) ?? []
  const host = name ?? (address && `[${address}]`)
  return host && `${scheme}://${host}${port}`
}
