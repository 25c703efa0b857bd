/**
 * Lines of a file or of standard input, in batches as they are read, so that a list of any length takes no memory. Blank lines and those that
 * begin with # are passed over. For commands that take many domains.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'

export interface InputLines {
  readonly batches: AsyncIterable<readonly string[]>
  /** How far it has been read, 0–1; undefined where nobody knows how long it is. */
  fraction(): number | undefined
  close(): Promise<void>
}

/** No name is longer; what comes behind it is dropped, and the line is no name anyway. */
const mostCharacters = 1100

/** @param path  `-` for standard input @throws where it cannot be opened, with the system's code */
export async function openLines(path: string, standardInput: () => AsyncIterable<Buffer>): Promise<InputLines> {
  if (path === '-') {
    return { batches: linesOf(standardInput()), fraction: () => undefined, close: async () => {} }
  }
  const file = await open(path, 'r')
  const status = await file.stat()
  if (status.isDirectory()) {
    await file.close()
    throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' })
  }
  let read = 0
  const chunks = async function* () {
    for await (const chunk of chunksOf(file)) {
      read += chunk.length
      yield chunk
    }
  }
  return {
    batches: linesOf(chunks()),
    fraction: () => (status.isFile() && status.size > 0 ? Math.min(1, read / status.size) : undefined),
    close: () => file.close(),
  }
}

async function* chunksOf(file: FileHandle): AsyncIterable<Buffer> {
  for (;;) {
    // One of its own each time, because lines are cut from it later.
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(64 * 1024))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncIterable<readonly string[]> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of chunks) {
    const parts = (rest + decoder.write(chunk)).split('\n')
    rest = (parts.pop() ?? '').slice(0, mostCharacters)
    yield parts.flatMap(cleaned)
  }
  yield cleaned(rest + decoder.end())
}

function cleaned(line: string): string[] {
  const text = line.slice(0, mostCharacters).trim()
  return text === '' || text.startsWith('#') ? [] : [text]
}
