/** Base32 with the extended hex alphabet and no padding (RFC 4648 §7), as NSEC3 writes its hashes (RFC 5155 §3.3). Used by zone text. */

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUV'

/** 1–255 octets of text in any case, or undefined where it is none, or has bits set behind its last octet. */
export function hashFromText(text: string): Buffer | undefined {
  if (!/^[0-9A-Va-v]{2,408}$/.test(text)) return undefined
  const octets: number[] = []
  let bits = 0
  let value = 0
  for (const character of text) {
    value = (value << 5) | Number.parseInt(character, 32)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    octets.push(value >> bits)
    value &= (1 << bits) - 1
  }
  return bits < 5 && value === 0 ? Buffer.from(octets) : undefined
}

export function hashText(octets: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const octet of octets) {
    value = (value << 8) | octet
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet.charAt(value >> bits)
      value &= (1 << bits) - 1
    }
  }
  return bits > 0 ? text + alphabet.charAt(value << (5 - bits)) : text
}
