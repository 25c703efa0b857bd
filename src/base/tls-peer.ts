/** What a TLS handshake showed of the other side, as plain data. Called by the probe and by the fetch of policies. */
import type { TLSSocket } from 'node:tls'

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'

export interface TlsPeer {
  readonly version: TlsVersion
  /** OpenSSL's name and the one of the standard: `ECDHE-RSA-AES128-GCM-SHA256`, `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`. */
  readonly cipher: { readonly name: string; readonly standardName: string }
  /** Diffie–Hellman group of the server, where it is told: `X25519`, bits 253. */
  readonly keyExchange: { readonly name: string; readonly bits: number } | undefined
  /** DER as the server sent it, the leaf first, at most 10; nothing of our own store, which needs `ca: []` in the options. */
  readonly chain: readonly Buffer[]
  /** The kind of the leaf's key. */
  readonly leafKey: 'rsa' | 'ecdsa' | 'other'
}

const longestChain = 10

/** @param socket  behind its handshake */
export function describePeer(socket: TLSSocket): TlsPeer {
  const leaf = socket.getPeerX509Certificate()
  const chain: Buffer[] = []
  for (let at = leaf; at && chain.length < longestChain; at = at.issuerCertificate) {
    const { raw } = at
    if (chain.some((before) => before.equals(raw))) break
    chain.push(raw)
  }
  const { name, standardName } = socket.getCipher()
  const version = (socket.getProtocol() ?? 'TLSv1.2') as TlsVersion
  return {
    version,
    cipher: { name, standardName },
    keyExchange: keyExchangeOf(socket),
    chain,
    leafKey: kindOf(leaf?.publicKey.asymmetricKeyType),
  }
}

function keyExchangeOf(socket: TLSSocket): TlsPeer['keyExchange'] {
  const ephemeral = socket.getEphemeralKeyInfo() as {
    readonly type?: string
    readonly name?: string
    readonly size?: number
  } | null
  return ephemeral?.type ? { name: ephemeral.name ?? ephemeral.type, bits: ephemeral.size ?? 0 } : undefined
}

function kindOf(type: string | undefined): TlsPeer['leafKey'] {
  if (type === 'rsa' || type === 'rsa-pss') return 'rsa'
  return type === 'ec' ? 'ecdsa' : 'other'
}

/** Who ended a handshake that failed: OpenSSL tells what the peer's alert said apart from what it found itself. */
export function failedSide(code: string | undefined): 'peer' | 'local' | 'connection' {
  if (code === undefined || !code.startsWith('ERR_SSL')) return 'connection'
  return code.includes('ALERT') ? 'peer' : 'local'
}
