/**
 * TXT records as the text that policies are written in: strings joined without a blank, and the one record among others that is meant.
 * Used by whoever looks policies up, and by the parsers beside this file.
 */

/** Of one TXT record. One character an octet, so that nothing is lost that a parser must complain of (RFC 7208 §3.3, RFC 8461 §3.1). */
export function txtText(strings: readonly Uint8Array[]): string {
  return Buffer.concat(strings).toString('latin1')
}

/** Which of the TXT records at a name is the policy. */
export type Selected =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly text: string }
  /** Then none of them counts, in every one of these policies. */
  | { readonly kind: 'several'; readonly texts: readonly string[] }

/** @param texts  of all TXT records at the name @param isMeant  whether the record announces itself as this policy */
export function selectText(texts: readonly string[], isMeant: (text: string) => boolean): Selected {
  const meant = texts.filter(isMeant)
  const [text, second] = meant
  if (text === undefined) return { kind: 'none' }
  return second === undefined ? { kind: 'one', text } : { kind: 'several', texts: meant }
}
