/** What a filter says of addresses (`QueueFilter`): asked by the engine row by row, and by whoever looks at the recipients of what was found. */

/** @param wanted  an address, or `@domain` for every address there; in lower case */
export function isAddressOf(wanted: string, address: string): boolean {
  const lower = address.toLowerCase()
  return wanted.startsWith('@') ? lower.endsWith(wanted) : lower === wanted
}
