import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PanelState, panelLines } from './panel.ts'

const state: PanelState = {
  elapsedMs: 47_900,
  domain: 'example.test',
  perSecond: 5,
  counts: { sent: 1236, delivered: 1168, held: 68, turnedAway: 0 },
  heldLately: [0, 4, 9, 68],
  backends: [
    {
      number: 1,
      place: '127.0.0.1:42503',
      isDead: false,
      slowMs: undefined,
      state: 'up',
      received: 67,
      lately: [4, 2],
    },
    { number: 2, place: '127.0.0.1:42617', isDead: false, slowMs: 3000, state: 'up', received: 36, lately: [0, 1] },
    { number: 3, place: '127.0.0.1:39181', isDead: true, slowMs: undefined, state: 'down', received: 65, lately: [] },
  ],
  events: [
    { atMs: 7_000, by: 'story', text: 'Backend 2 becomes slow: it takes 3 s over each message.' },
    {
      atMs: 19_000,
      by: 'sum',
      text: 'Of 59 messages backend 2 got 3: who is busy gets less. No sender waited over 3.0 s lately.',
    },
    { atMs: 21_000, by: 'gateway', text: 'The gateway finds backend 3 down: its mail goes to backends 1 and 2.' },
    { atMs: 65_000, by: 'you', text: 'You kill backend 1.' },
  ],
  hints: ['1 2 3  kill or revive a backend      q  end'],
}

test('at 80 columns, without colours', () => {
  assert.deepEqual(panelLines(state, { columns: 80, rows: 22, isColored: false }), [
    ' Waypost demo  0:47',
    ' 5 messages a second ─▶ the gateway ─▶ three mail servers of example.test',
    '',
    ' SENT 1,236   DELIVERED 1,168   HELD 68          ▁▁█       TURNED AWAY 0',
    '',
    ' KEY  BACKEND           IT IS        GATEWAY SAYS   HAS GOT   LAST 12 SECONDS',
    '  1   127.0.0.1:42503   running      ● up                67             █▄',
    '  2   127.0.0.1:42617   slow, 3 s    ● up                36              ▂',
    '  3   127.0.0.1:39181   dead         ✗ down              65               ',
    '',
    '  0:07 ▶ Backend 2 becomes slow: it takes 3 s over each message.',
    '  0:19   Of 59 messages backend 2 got 3: who is busy gets less. No sender',
    '         waited over 3.0 s lately.',
    '  0:21 ◆ The gateway finds backend 3 down: its mail goes to backends 1 and 2.',
    '  1:05 ● You kill backend 1.',
    '',
    '',
    '',
    '',
    '',
    ' 1 2 3  kill or revive a backend      q  end',
  ])
})

const bare = (line: string) => line.replace(/\x1b\[\d+m/g, '')

test('no line is wider than the terminal, whatever stands in it, and all are so many whatever has happened', () => {
  const hints = [`Also: waypost queue list -c /${'very-long-folder/'.repeat(20)}waypost.yaml`]
  for (const columns of [60, 80, 120, 200]) {
    const shape = { columns, rows: 24, isColored: true }
    const before = panelLines({ ...state, hints, events: [] }, shape)
    const after = panelLines(
      { ...state, hints, events: [...state.events, { atMs: 1, by: 'you', text: 'x'.repeat(200) }] },
      shape,
    )
    assert.equal(after.length, before.length)
    assert.ok(after.length < shape.rows)
    for (const line of [...before, ...after]) assert.ok(bare(line).length < columns, `${columns}: ${line}`)
  }
})

test('colours are those of the terminal alone, and end with their line', () => {
  const shape = { columns: 80, rows: 24 }
  const colored = panelLines(state, { ...shape, isColored: true })
  assert.deepEqual(colored.map(bare), panelLines(state, { ...shape, isColored: false }))
  for (const line of colored)
    assert.match(line, /^[^\x1b]*(?:\x1b\[(?:1|2|31|32|33)m[^\x1b]*\x1b\[(?:22|39)m[^\x1b]*)*$/)
})

test('what is not ours is shown and never performed', () => {
  const events = [{ atMs: 0, by: 'you' as const, text: 'a\x1b[2Jb\nc' }]
  const text = panelLines({ ...state, events }, { columns: 80, rows: 24, isColored: false }).join('\n')
  assert.ok(text.includes('a\\x1b[2Jb\\x0ac'))
})
