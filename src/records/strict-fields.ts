/**
 * The field grammar that MTA-STS and TLSRPT records share word for word (RFC 8461 §3.1, RFC 8460 §3): a version, then `name=value` without
 * blanks around the "=", separated by semicolons, unknown ones ignored. Pure.
 */
import type { Problems } from './problems.ts'
import { shown } from './problems.ts'
import { splitTags, type TagField } from './tag-list.ts'

/** The fields behind the version; what is wrong with the version, or between fields, is added to the problems. */
export function readStrictFields(text: string, version: string, problems: Problems): TagField[] {
  const [first, ...fields] = splitTags(text)
  if (!text.startsWith(version) || `${first?.name}=${first?.value}` !== version || first?.hasBlanks) {
    problems.add(0, `it does not begin with "${version};"`)
    return []
  }
  // One semicolon may end the record.
  if (fields.at(-1)?.name === '' && !fields.at(-1)?.hasValue) fields.pop()
  for (const field of fields) {
    if (field.name === '') problems.add(field.at, 'a field without a name')
    else if (!field.hasValue) problems.add(field.at, `${shown(field.name)} has no "=" and no value`)
    else if (field.hasBlanks) problems.add(field.at, `${shown(field.name)} has blanks around its "="`)
  }
  return fields.filter((field) => field.name !== '' && field.hasValue && !field.hasBlanks)
}

/** Why the field is not even one to be ignored. */
export function fieldProblem({ name, value }: TagField): string | undefined {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(name)) return `${shown(name)} is no name of a field`
  if (!/^[\x21-\x3a\x3c\x3e-\x7e]+$/.test(value))
    return `the value of ${shown(name)} is empty, or has a blank, a "=" or a character that is not ASCII`
  return undefined
}
