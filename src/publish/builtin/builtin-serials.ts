/**
 * Keeps the serials of the built-in server's zones over restarts. A zone's file has its serial, so only those are kept that the server gave
 * otherwise: because a file that a person changed did not raise it, say. Handed to `dns/authoritative` by `cli`.
 */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../../base/atomic-file.ts'
import { isMissing } from '../../base/error-code.ts'
import { makeFolder } from '../../base/make-folder.ts'
import type { KeptSerial, SerialStore } from '../../dns/authoritative/serials.ts'
import type { WireName } from '../../dns/wire-name.ts'

const kept = z.object({
  version: z.literal(1),
  serials: z.array(z.object({ origin: z.string(), serial: z.number().int(), digest: z.string() })),
})

/**
 * @param path  of the file; one that is damaged is an Error, because serials that go back stop secondaries
 * @param inFile  the serial that the file of a zone has, by its folded name
 */
export function createSerialStore(path: string, inFile: (origin: WireName) => number | undefined): SerialStore {
  let entries: Map<WireName, KeptSerial> | undefined
  const load = async () => {
    entries ??= new Map((await readKept(path)).map((each) => [each.origin, each]))
    return entries
  }
  return {
    load: async () => [...(await load()).values()],
    async save(serials) {
      const known = await load()
      let isChanged = false
      for (const each of serials) {
        if (inFile(each.origin) !== each.serial) {
          known.set(each.origin, each)
          isChanged = true
        } else if (known.delete(each.origin)) isChanged = true
      }
      if (!isChanged) return
      await makeFolder(dirname(path))
      const listed = [...known.values()].map((each) => ({
        ...each,
        origin: Buffer.from(each.origin, 'latin1').toString('hex'),
      }))
      await replaceFile(path, `${JSON.stringify({ version: 1, serials: listed })}\n`)
    },
  }
}

async function readKept(path: string): Promise<KeptSerial[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (text === undefined) return []
  const read = kept.safeParse(safeJson(text))
  if (!read.success)
    throw Object.assign(new Error(`${path} is damaged: it keeps serials of zones`), { code: 'EDAMAGED' })
  return read.data.serials.map((each) => ({
    ...each,
    origin: Buffer.from(each.origin, 'hex').toString('latin1') as WireName,
  }))
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
