/** What waypost.yaml declares of a domain's records beside what is published, line by line, for the page of a domain. Pure; called by `api/domain.ts`. */
import { z } from '@hono/zod-openapi'
import { printable } from '../../base/printable.ts'
import type { RecordLines } from '../../checks/snapshot.ts'

export const recordShape = z.object({
  name: z.string(),
  type: z.string(),
  data: z.string().describe('As in a zone file.'),
  isDeclared: z.boolean().nullable().describe('Null: this set is kept by somebody else.'),
  isPublished: z.boolean().nullable().describe('Null: nobody has looked yet, or it could not be looked up.'),
})
export type RecordShown = z.output<typeof recordShape>

const most = 200

/** @param published  undefined: nobody has looked yet */
export function compareRecords(
  declared: readonly RecordLines[],
  published: readonly RecordLines[] | undefined,
): RecordShown[] {
  const names = [...declared, ...(published ?? [])].map(setName)
  return [...new Set(names)].flatMap((set) => linesOf(set, declared, published)).slice(0, most)
}

function linesOf(
  set: string,
  declared: readonly RecordLines[],
  published: readonly RecordLines[] | undefined,
): RecordShown[] {
  const wanted = declared.find((each) => setName(each) === set)
  const live = published?.find((each) => setName(each) === set)
  const { name = '', type = '' } = wanted ?? live ?? {}
  const wantedKeys = new Set(wanted?.data.map((line) => comparable(type, line)))
  const liveKeys = new Set(live?.data.map((line) => comparable(type, line)))
  const lines = new Map([...(wanted?.data ?? []), ...(live?.data ?? [])].map((line) => [comparable(type, line), line]))
  return [...lines].map(([key, line]) => ({
    name: printable(name, 300),
    type,
    data: printable(line, 2000),
    isDeclared: wanted ? wantedKeys.has(key) : null,
    isPublished: live ? liveKeys.has(key) : null,
  }))
}

const setName = ({ name, type }: RecordLines) => `${name.toLowerCase()} ${type}`

/** Names are the same in capitals; what stands in a text is not. */
const comparable = (type: string, line: string) => (type === 'TXT' ? line : line.toLowerCase())
