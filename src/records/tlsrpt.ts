/** TLS reporting records, the TXT record at `_smtp._tls` (RFC 8460 §3). Used by checks and by whoever publishes one. Strict and pure. */
import type { TextProblem } from '../base/place.ts'
import { createProblems, shown } from './problems.ts'
import { type ReportUri, reportUris } from './report-uri.ts'
import { fieldProblem, readStrictFields } from './strict-fields.ts'
import { type Selected, selectText } from './txt.ts'

export interface TlsrptRecord {
  /** At least one; senders may take any. `mailto` or `https`. */
  readonly reportTo: readonly ReportUri[]
}

export type ParsedTlsrpt =
  | { readonly kind: 'tlsrpt'; readonly record: TlsrptRecord }
  | { readonly kind: 'invalid'; readonly problems: readonly TextProblem[] }

const version = 'v=TLSRPTv1'

/** RFC 8460 §3: those that do not begin with "v=TLSRPTv1;" are discarded. */
export function selectTlsrpt(texts: readonly string[]): Selected {
  return selectText(texts, (text) => text.startsWith(`${version};`))
}

/** @param text  of one record, one character an octet (`txtText`) */
export function parseTlsrpt(text: string): ParsedTlsrpt {
  const problems = createProblems(text)
  const reportTo: ReportUri[] = []
  let hasReportTo = false
  for (const field of readStrictFields(text, version, problems)) {
    if (field.name !== 'rua') {
      const why = fieldProblem(field)
      if (why) problems.add(field.at, why)
      continue
    }
    // A second one is not said to count, as it is in MTA-STS; so none but the first does.
    if (hasReportTo) continue
    hasReportTo = true
    for (const { uri, at, text: said } of reportUris(field, false, problems)) {
      if (uri.scheme === 'mailto' || uri.scheme === 'https') reportTo.push(uri)
      else problems.add(at, `${shown(said)} is neither mailto: nor https:`)
    }
  }
  if (!hasReportTo) problems.add(text.length, 'the field "rua" is missing')
  return problems.list.length > 0
    ? { kind: 'invalid', problems: problems.list }
    : { kind: 'tlsrpt', record: { reportTo } }
}
