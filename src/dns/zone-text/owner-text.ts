/** The owner of a record as zone text has it below an origin: `@`, `mx1`, or absolute for a name elsewhere. Used by the writer and the editor. */
import { isAtOrBelow, nameText, rootWireName, sameName, type WireName } from '../wire-name.ts'

export function ownerText(name: WireName, origin: WireName): string {
  if (sameName(name, origin)) return '@'
  const text = nameText(name)
  if (!isAtOrBelow(name, origin)) return text
  // Every name in the root zone ends in its dot alone.
  return origin === rootWireName ? text.slice(0, -1) : text.slice(0, -nameText(origin).length - 1)
}
