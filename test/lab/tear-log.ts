/**
 * What a power loss in the middle of a write leaves behind: behind the last COMMIT of SQLite's write-ahead log stands the beginning of another one,
 * whose octets are not all there. The format: https://sqlite.org/fileformat2.html#walformat
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'

const headerOctets = 32
const frameHeaderOctets = 24

/** @param state  the folder of a store that nobody has open */
export async function tearLog(state: string): Promise<void> {
  const file = await open(join(state, 'store.db-wal'), 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!file) return
  try {
    const header = Buffer.alloc(headerOctets)
    if ((await file.read(header, 0, headerOctets, 0)).bytesRead < headerOctets) return
    const frameOctets = frameHeaderOctets + header.readUInt32BE(8)
    const salts = header.subarray(16, 24)
    const frame = Buffer.alloc(frameHeaderOctets)
    let at = headerOctets
    // Frames of an earlier round of the log have other salts.
    while ((await file.read(frame, 0, frameHeaderOctets, at)).bytesRead === frameHeaderOctets) {
      if (!frame.subarray(8, 16).equals(salts)) break
      at += frameOctets
    }
    // A frame that looks like a COMMIT of this round (its second word is the size of the database then), and of which half is there.
    const torn = Buffer.alloc(Math.floor(frameOctets / 2), 'torn')
    torn.writeUInt32BE(2, 0)
    torn.writeUInt32BE(1_000_000, 4)
    salts.copy(torn, 8)
    await file.write(torn, 0, torn.length, at)
  } finally {
    await file.close()
  }
}
