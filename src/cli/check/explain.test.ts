import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createPaint } from '../../checks/report/layout.ts'
import { Misuse } from '../misuse.ts'
import type { Terminal } from '../terminal.ts'
import { explain, renderPage } from './explain.ts'

const page = `# a-check

First words that go **on and on** over \`the end\` of a line, see [RFC 1](https://example.com/1).

**Asked:** this
and that.
**Severity:** error.

- one *thing*
- two

| a | bb |
| --- | --- |
| ccc | d |

\`\`\`
example.com. MX 10 mx1
\`\`\`
`

test('a page of ours, for a terminal', () => {
  assert.deepEqual(renderPage(page, 50, createPaint(false)), [
    'a-check',
    '',
    'First words that go on and on over the end of a',
    'line, see RFC 1 (https://example.com/1).',
    '',
    'Asked: this and that.',
    'Severity: error.',
    '',
    '• one thing',
    '• two',
    '',
    '  a    bb',
    '  ccc  d',
    '',
    '    example.com. MX 10 mx1',
  ])
  const [title, , , , , asked] = renderPage(page, 50, createPaint(true))
  assert.equal(title, '\u001b[1ma-check\u001b[22m')
  assert.equal(asked, '\u001b[1mAsked:\u001b[22m this and that.')
})

test('every page that there is can be shown, and no mark of Markdown is left in it', () => {
  const folder = new URL('../../../docs/checks/', import.meta.url)
  for (const name of readdirSync(folder)) {
    const text = renderPage(readFileSync(new URL(name, folder), 'utf8'), 100, createPaint(false)).join('\n')
    assert.doesNotMatch(text, /\*\*|^#{1,6} /m, name)
  }
})

test('a page that is not there: the one that was meant', async () => {
  const said: string[] = []
  const terminal: Terminal = { out: (text) => void said.push(text), err: (text) => void said.push(text) }
  await assert.rejects(
    explain('ns-silnt', terminal),
    new Misuse('there is no page about "ns-silnt"; did you mean "ns-silent"?'),
  )
  await assert.rejects(explain('../../README', terminal), Misuse)
  assert.equal(await explain('accepts-bare-newline-end', terminal), 0)
})
