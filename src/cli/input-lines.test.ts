import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLines } from './input-lines.ts'

async function* chunks(...texts: string[]): AsyncIterable<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function read(batches: AsyncIterable<readonly string[]>): Promise<string[]> {
  const lines: string[] = []
  for await (const batch of batches) lines.push(...batch)
  return lines
}

const piped = async (...texts: string[]) => read((await openLines('-', () => chunks(...texts))).batches)

test('lines over the ends of chunks, without blanks, comments and line ends of either kind', async () => {
  assert.deepEqual(await piped('a.exam', 'ple\r\n\n # no\n#no\n b.example \nc.', 'example'), [
    'a.example',
    'b.example',
    'c.example',
  ])
  assert.deepEqual(await piped(), [])
})

test('a letter that a chunk cuts in two', async () => {
  const bytes = Buffer.from('bücher.example\n')
  const halves = async function* () {
    yield bytes.subarray(0, 2)
    yield bytes.subarray(2)
  }
  assert.deepEqual(await read((await openLines('-', halves)).batches), ['bücher.example'])
})

test('a line without end is cut, not kept', async () => {
  const endless = Array.from({ length: 200 }, () => 'x'.repeat(10_000))
  const [line = '', after] = await piped(...endless, '\nb.example\n')
  assert.ok(line.length <= 1100)
  assert.equal(after, 'b.example')
})

test('a file says how far it has been read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-lines-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'names')
  await writeFile(path, 'a.example\n'.repeat(20_000))
  const lines = await openLines(path, () => chunks())
  t.after(() => lines.close())
  const fractions: number[] = []
  for await (const _ of lines.batches) fractions.push(lines.fraction() ?? -1)
  assert.ok(fractions.length > 2 && fractions.every((each, index) => each >= (fractions[index - 1] ?? 0)))
  assert.equal(fractions.at(-1), 1)
  await assert.rejects(
    openLines(folder, () => chunks()),
    { code: 'EISDIR' },
  )
  await assert.rejects(
    openLines(join(folder, 'none'), () => chunks()),
    { code: 'ENOENT' },
  )
})
