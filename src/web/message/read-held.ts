/** A held message as a person reads it: as much as that takes from the hold, taken apart by `reader.ts`, a few at once. Used by `api/messages.ts`. */
import type { QueueOperations } from '../../gateway/operate/queue-operations.ts'
import type { Refused } from '../site.ts'
import { beginningOf } from './held-octets.ts'
import type { MessageText } from './read-text.ts'
import type { MessageReader } from './reader.ts'

/** @param loaded  called once somebody has had its octets brought here, whatever comes of reading them */
export type ReadHeld = (id: string, loaded: () => void) => Promise<HeldText | Refused>

export interface HeldText {
  readonly kind: 'read'
  readonly message: MessageText
  /** It was read as far as `mostReadBytes`, and goes on. */
  readonly isPart: boolean
}

/** Enough for what people read; what is attached behind it is listed as far as it goes. */
const mostReadBytes = 12 * 1024 * 1024
/** Messages that are in memory at once for it. */
const mostAtOnce = 4

const busy: Refused = { kind: 'no', status: 503, why: 'others are being read; come again in a moment' }

export function createReadHeld(mail: () => Pick<QueueOperations, 'cat'> | undefined, reader: MessageReader): ReadHeld {
  let reading = 0

  async function loadAndRead(id: string, loaded: () => void): Promise<HeldText | Refused> {
    const beginning = await beginningOf(mail(), id, mostReadBytes)
    if (beginning.kind === 'no') return beginning
    loaded()
    const read = await reader.read(new Uint8Array(beginning.octets))
    if (read.kind === 'busy') return busy
    if (read.kind === 'failed') return { kind: 'no', status: 409, why: read.why }
    return { ...read, isPart: beginning.isPart }
  }

  return async (id, loaded) => {
    if (reading >= mostAtOnce) return busy
    reading++
    try {
      return await loadAndRead(id, loaded)
    } finally {
      reading--
    }
  }
}
