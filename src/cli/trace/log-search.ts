/**
 * Looks for a message's lines in a log of JSON lines of any size: a chunk at a time, with memory for one line and what was found. For `trace`.
 */

export interface LogLine {
  /** As it stands there: `2026-11-23T18:32:59.123Z`. */
  readonly time: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface FoundLines {
  readonly lines: readonly LogLine[]
  /** There were more than could be kept. */
  readonly isCut: boolean
}

const mostLineBytes = 1024 * 1024
const mostLines = 10_000
const newline = 0x0a

/**
 * @param id  whole, or how it begins
 * @returns the lines whose `id` begins so, or whose `notice` is of such a message, in their order
 */
export async function searchLog(chunks: AsyncIterable<Uint8Array>, id: string): Promise<FoundLines> {
  const needle = Buffer.from(`:"${id}`)
  const lines: LogLine[] = []
  let isCut = false
  let rest = Buffer.alloc(0)
  /** The line at hand is longer than any of ours. */
  let isSkipping = false

  function take(whole: Buffer): void {
    for (let at = whole.indexOf(needle); at >= 0; ) {
      const from = whole.lastIndexOf(newline, at) + 1
      const end = whole.indexOf(newline, at)
      const line = lineOf(whole.subarray(from, end < 0 ? whole.length : end), id)
      if (line && lines.length < mostLines) lines.push(line)
      else if (line) isCut = true
      at = end < 0 ? -1 : whole.indexOf(needle, end)
    }
  }

  for await (const chunk of chunks) {
    let fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    if (isSkipping) {
      const end = fresh.indexOf(newline)
      if (end < 0) continue
      fresh = fresh.subarray(end + 1)
      isSkipping = false
    }
    const all = rest.length === 0 ? fresh : Buffer.concat([rest, fresh])
    const end = all.lastIndexOf(newline) + 1
    take(all.subarray(0, end))
    isSkipping = all.length - end > mostLineBytes
    rest = isSkipping ? Buffer.alloc(0) : Buffer.from(all.subarray(end))
  }
  take(rest)
  return { lines, isCut }
}

function lineOf(octets: Buffer, id: string): LogLine | undefined {
  // What collects logs may have put something in front.
  const text = octets.toString('utf8')
  const begin = text.indexOf('{')
  if (begin < 0) return undefined
  let value: unknown
  try {
    value = JSON.parse(text.slice(begin))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { time, event, ...fields } = value as Record<string, unknown>
  const isMeant = [fields.id, fields.notice].some((each) => typeof each === 'string' && each.startsWith(id))
  return isMeant && typeof event === 'string' ? { time: String(time), event, fields } : undefined
}
