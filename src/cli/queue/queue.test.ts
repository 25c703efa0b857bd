import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { heldId, heldMessage, lane } from '../../../test/unit/held-message.ts'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import type { Queue, Settled } from '../../queue/queue.ts'
import { openHolding } from '../holding.ts'
import { createProgram } from '../program.ts'
import { queueCommand } from './queue.ts'

/** A stopped gateway with a store, and the command line on it. */
async function stage(t: TestContext, answer?: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-queue-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'waypost.yaml')
  await writeFile(
    file,
    'hostname: mx.waypost.test\nstate: state\ndomains: { example.test: { deliver: "smtp://127.0.0.1:9" } }\n',
  )
  const withStore = async <T>(work: (queue: Queue) => Promise<T>): Promise<T> => {
    const limits = () => ({ holdBytes: undefined, freeBytes: 0 })
    const opened = await openHolding(join(folder, 'state'), {
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      limits,
    })
    if (opened.kind !== 'opened') throw new Error(opened.why)
    try {
      return await work(opened.holding.queue)
    } finally {
      await opened.close()
    }
  }
  const asked: string[] = []
  const run = async (...words: readonly string[]) => {
    const said = { out: '', err: '', bytes: Buffer.alloc(0) }
    const terminal = {
      out(text: string) {
        said.out += text
      },
      err(text: string) {
        said.err += text
      },
    }
    const bytes = {
      isTerminal: true,
      async write(some: Uint8Array) {
        said.bytes = Buffer.concat([said.bytes, some])
      },
    }
    const confirm =
      answer === undefined
        ? undefined
        : async (question: string) => {
            asked.push(question)
            return answer
          }
    const program = createProgram('1', terminal, (go) => [queueCommand(go, { bytes, confirm, columns: 100 })])
    const code = await program.run(['queue', ...words, '-c', file])
    return { code, ...said }
  }
  return { folder, run, withStore, asked }
}

const now = systemClock.now()
const message = (number: number, more: Partial<Parameters<typeof heldMessage>[0]> = {}) =>
  heldMessage({ id: heldId(number), receivedMs: now, ...more })

const statesOf = (queue: Queue, number: number) =>
  queue.get(heldId(number)).then((entry) => entry?.recipients.map(({ state }) => state))

test('list says that a domain is not declared, and which may be meant', async (t) => {
  const { run, withStore } = await stage(t)
  await withStore(async () => undefined)
  const list = async (domain: string) => {
    const { code, out, err } = await run('list', '--domain', domain)
    assert.deepEqual([code, out], [0, 'Nothing is held that fits.\n'])
    return err
  }
  assert.equal(
    await list('exmple.test'),
    'waypost.yaml declares no domain "exmple.test"; did you mean "example.test"?\n',
  )
  assert.equal(await list('far.example.org'), 'waypost.yaml declares no domain "far.example.org".\n')
  assert.equal(await list('Example.test.'), '')
})

test('what is done by a filter says the same where nothing fits', async (t) => {
  const { run, withStore } = await stage(t)
  await withStore((queue) => queue.hold(message(1, { to: { 'a@elsewhere.test': {} } })))
  const undeclared = 'waypost.yaml declares no domain "exmple.test"; did you mean "example.test"?'
  for (const act of ['hold', 'remove']) {
    const { code, out, err } = await run(act, '--domain', 'exmple.test')
    assert.deepEqual([code, out, err], [1, '', `Nothing is held that fits.\n${undeclared}\n`], act)
  }
  assert.equal((await run('hold', '--domain', 'example.test')).err, 'Nothing is held that fits.\n')
  assert.equal((await run('hold', '--domain', 'elsewhere.test')).out, '1 message kept back.\n')
})

test('cat escapes what a terminal would perform, and not with --raw', async (t) => {
  const { run, withStore } = await stage(t)
  const body = Buffer.from('Subject: caf\u00e9\r\n\r\n\x1b]0;owned\x07 \xff\r\nend\r\n', 'latin1')
  await withStore((queue) => queue.hold(message(1, { body })))
  const shown = await run('cat', heldId(1))
  assert.equal(shown.code, 0)
  assert.match(shown.out, /^Received: .*\nSubject: caf.*\n\n\\x1b\]0;owned\\x07 .*\nend\n$/)
  const raw = await run('cat', heldId(1), '--raw')
  assert.equal(raw.out, '')
  assert.ok(raw.bytes.subarray(-body.length).equals(body))
})

test('remove asks, names the count, and takes no for an answer', async (t) => {
  const { run, withStore, asked } = await stage(t, false)
  await withStore(async (queue) => {
    await queue.hold(message(1, { to: { 'a@example.test': {}, 'b@other.test': {} } }))
    await queue.hold(message(2))
  })
  const removed = await run('remove', '--domain', 'example.test')
  assert.equal(removed.code, 1)
  assert.match(asked[0] ?? '', /^Remove 2 messages \(2 recipients, \d+ B\) for good/)
  await withStore(async (queue) => assert.equal(queue.totals.messages, 2))
  // Only the recipients that are meant go, and the others stay.
  assert.equal((await run('remove', '--domain', 'example.test', '--yes')).out, '2 messages removed.\n')
  await withStore(async (queue) => {
    const entry = await queue.get(heldId(1))
    assert.deepEqual(
      entry?.recipients.map(({ recipient }) => recipient.text),
      ['b@other.test'],
    )
    assert.equal(queue.totals.messages, 1)
  })
})

test('what may still be answered for is left alone; what a person holds is not tried; the ended is tried by name', async (t) => {
  const { run, withStore } = await stage(t)
  const unknown = { backend: 'smtp://127.0.0.1:9', elsewhereMs: now + 3_600_000, notBeforeMs: now + 1_800_000 }
  await withStore(async (queue) => {
    for (const number of [1, 2, 3, 4, 5])
      await queue.hold(message(number, number === 2 ? { receivedMs: now - 700_000 } : {}))
    const settle = (number: number, to: Settled) => settleOne(queue, number, to)
    await settle(1, { kind: 'unknown', ...unknown })
    await settle(2, { kind: 'unknown', ...unknown })
    await settle(3, { kind: 'held' })
    await settle(4, { kind: 'refused', keepUntilMs: now + 1_000_000 })
    await settle(5, { kind: 'waiting', notBeforeMs: now + 1_000_000 })
  })
  const all = await run('retry', '--all')
  assert.deepEqual([all.code, all.out], [1, '2 messages will be tried when the gateway runs.\n'])
  assert.match(all.err, new RegExp(`${heldId(1)} stays as it is: its backend may have it`))
  assert.match(all.err, /\n1 message is kept back by a person: "waypost queue release" lets them go\.\n$/)
  await withStore(async (queue) => {
    const states = await Promise.all([1, 2, 3, 4, 5].map((number) => statesOf(queue, number)))
    assert.deepEqual(states.flat(), ['unknown', 'unknown', 'held', 'refused', 'ready'])
    const again = (await queue.get(heldId(2)))?.recipients[0]
    assert.ok((again?.notBeforeMs ?? Number.POSITIVE_INFINITY) <= systemClock.now())
  })
  assert.equal((await run('retry', '--state', 'refused')).out, '1 message will be tried when the gateway runs.\n')
  assert.match((await run('retry', heldId(3))).err, /release it/)
  await withStore((queue) => queue.hold(message(6, { to: { 'you@ended.test': {} } })))
  await withStore((queue) => settleOne(queue, 6, { kind: 'expired', keepUntilMs: now + 1_000_000 }))
  const ended = await run('retry', '--domain', 'ended.test')
  assert.deepEqual([ended.code, ended.out], [1, ''])
  assert.match(ended.err, /^1 message came to its end .*: name it by id, or by --state, to try again\.\n$/)
  // Held while a backend may have it, it is not forgotten who that is.
  assert.equal((await run('hold', heldId(1))).code, 0)
  assert.equal((await run('release', heldId(1))).code, 0)
  await withStore(async (queue) => {
    const [held] = (await queue.get(heldId(1)))?.recipients ?? []
    assert.deepEqual([held?.state, held?.backend, held?.elsewhereMs], ['unknown', unknown.backend, unknown.elsewhereMs])
    assert.ok((held?.notBeforeMs ?? 0) >= now + 600_000)
    assert.deepEqual(await statesOf(queue, 4), ['ready'])
  })
})

test('an export that ended between any two steps is ended by the next one, and loses nothing', async (t) => {
  const { folder, run, withStore } = await stage(t)
  const out = join(folder, 'out')
  await withStore(async (queue) => {
    await queue.hold(message(1, { to: { 'a@example.test': {}, 'b@other.test': { lane: lane('other') } } }))
    await queue.settle({ id: heldId(1), recipients: [{ index: 0, to: { kind: 'waiting', notBeforeMs: now + 9e6 } }] })
  })
  assert.equal((await run('export', out, '--domain', 'example.test', '--remove')).code, 0)
  const first = await readFile(join(out, `${heldId(1)}.json`), 'utf8')
  // It ended before the row was removed: the row is there again, held back.
  await withStore(async (queue) => {
    await queue.settle({ id: heldId(1), recipients: [{ index: 1, to: { kind: 'gone' } }] })
    await queue.hold(message(1, { to: { 'a@example.test': { state: 'held' } } }))
  })
  assert.equal((await run('export', out, '--remove')).code, 0)
  await withStore(async (queue) => assert.equal(queue.totals.messages, 0))
  const envelope = JSON.parse(await readFile(join(out, `${heldId(1)}.json`), 'utf8'))
  assert.deepEqual(envelope.recipients, JSON.parse(first).recipients)
  assert.deepEqual(
    envelope.recipients.map((each: { to: string; state: string }) => [each.to, each.state]),
    [['a@example.test', 'waiting']],
  )
  assert.deepEqual((await readdir(out)).sort(), [`${heldId(1)}.eml`, `${heldId(1)}.json`])
})

test('an import that ended between any two steps is ended by the next one, and brings nothing twice', async (t) => {
  const { folder, run, withStore } = await stage(t)
  const out = join(folder, 'out')
  await withStore(async (queue) => {
    for (const number of [1, 2, 3, 4]) await queue.hold(message(number))
    await queue.settle({ id: heldId(4), recipients: [{ index: 0, to: { kind: 'refused', keepUntilMs: now + 9e9 } }] })
  })
  assert.equal((await run('export', out, '--remove')).code, 0)
  const json = (number: number) => join(out, `${heldId(number)}.json`)
  // 1: begun, and not in the hold. 2: in the hold, held back. 3: delivered already, and its name not changed.
  await rename(json(1), `${json(1)}.importing`)
  await rename(json(2), `${json(2)}.importing`)
  await withStore((queue) => queue.hold(message(2, { to: { 'you@example.test': { state: 'held' } } })))
  await rename(json(3), `${json(3)}.held`)
  const imported = await run('import', out)
  assert.deepEqual([imported.code, imported.out], [0, '4 messages taken in.\n'], imported.err)
  await withStore(async (queue) => {
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map((number) => statesOf(queue, number))), [
      ['ready'],
      ['ready'],
      undefined,
      ['refused'],
    ])
    assert.equal((await queue.get(heldId(1)))?.message.trace.toString(), message(1).trace.toString())
    for (const number of [1, 2, 4])
      await queue.settle({ id: heldId(number), recipients: [{ index: 0, to: { kind: 'gone' } }] })
  })
  assert.equal((await run('import', out)).out, '0 messages taken in.\n')
  await withStore(async (queue) => assert.equal(queue.totals.messages, 0))
})

test('a folder that is none, or holds nothing of an export; and what stays where it is', async (t) => {
  const { folder, run, withStore } = await stage(t)
  await withStore((queue) => queue.hold(message(1)))
  const [file, empty] = [join(folder, 'waypost.yaml'), join(folder, 'state')]
  for (const act of ['export', 'import']) {
    const said = await run(act, file)
    assert.deepEqual([said.code, said.out], [2, ''])
    assert.match(said.err, /waypost\.yaml is no folder, or a file stands in its way\n$/)
  }
  const nothing = await run('import', empty)
  assert.deepEqual([nothing.code, nothing.out], [2, ''])
  assert.match(nothing.err, /there is no exported message in /)
  const astray = await run('export', join(folder, 'mnt', 'usb', 'held'))
  assert.equal(astray.code, 2)
  assert.match(astray.err, /^waypost: there is no \S+\/mnt\/usb to make the folder in\. Is the path right\?.*mkdir -p/)
  assert.equal(existsSync(join(folder, 'mnt')), false)
  const copy = await run('export', join(folder, 'copy'), heldId(1).slice(0, 12))
  assert.equal(copy.out, `1 message copied to ${join(folder, 'copy')}.\n`)
  assert.match(copy.err, /^They stay here too, .* with --remove they leave/)
  assert.match((await run('export', join(folder, 'none'), '7ZZZ')).err, /nothing is held whose id begins with "7ZZZ"/)
  assert.match((await run('export', join(folder, 'none'), heldId(1), '--domain', 'a.test')).err, /say which in one way/)
  assert.equal((await run('export', join(folder, 'moved'), '--remove')).err, '')
  assert.equal((await run('export', join(folder, 'again'))).err, '')
})

test('what is not as export wrote it is not taken in, and says why', async (t) => {
  const { folder, run, withStore } = await stage(t)
  const out = join(folder, 'out')
  await withStore(async (queue) => {
    for (const number of [1, 2, 3, 4]) await queue.hold(message(number))
  })
  assert.equal((await run('export', out, '--remove')).code, 0)
  const path = (number: number, ending: string) => join(out, `${heldId(number)}.${ending}`)
  const content = await readFile(path(1, 'eml'))
  await writeFile(path(1, 'eml'), Buffer.from(content.toString().replace('To: you\r\n', 'To: you \n')))
  await writeFile(path(2, 'eml'), 'short\r\n')
  await rm(path(3, 'eml'))
  await writeFile(
    path(4, 'json'),
    (await readFile(path(4, 'json'), 'utf8')).replace('you@example.test', 'you@example.test>'),
  )
  const imported = await run('import', out)
  assert.equal(imported.code, 1)
  assert.match(imported.err, /01 was not taken in: .*does not end in CRLF/)
  assert.match(imported.err, /02 was not taken in: .*has 7 octets and not/)
  assert.match(imported.err, /03 was not taken in: a file of it is missing/)
  assert.match(imported.err, /04 was not taken in: .*recipients\.0\.to/)
  await withStore(async (queue) => assert.equal(queue.totals.messages, 0))
  assert.equal((await readdir(out)).filter((name) => name.endsWith('.json')).length, 4)
})

test('what somebody wrote into an exported envelope brings no backend what it is never asked for, nor stops the others', async (t) => {
  const { folder, run, withStore } = await stage(t)
  const out = join(folder, 'out')
  await withStore(async (queue) => {
    for (const number of [1, 2, 3, 4]) await queue.hold(message(number))
  })
  assert.equal((await run('export', out, '--remove')).code, 0)
  const change = async (number: number, from: string | RegExp, to: string) => {
    const path = join(out, `${heldId(number)}.json`)
    await writeFile(path, (await readFile(path, 'utf8')).replace(from, to))
  }
  await change(1, 'you@example.test', 'x%elsewhere.test@example.test')
  await change(2, /"receivedMs": [0-9]+/, '"receivedMs": 1e308')
  await change(3, 'you@example.test', 'x@elsewhere.test')
  await change(3, '"chosen": null', '"chosen": "smtp://127.0.0.1:9"')
  await change(4, /"receivedMs": ([0-9]+)/, '"receivedMs": $1.25')
  const imported = await run('import', out)
  assert.deepEqual([imported.code, imported.out], [1, '2 messages taken in.\n'], imported.err)
  assert.match(imported.err, /01 was not taken in: no backend is asked for x%elsewhere\.test@example\.test: /)
  assert.match(imported.err, /02 was not taken in: .*receivedMs/)
  await withStore(async (queue) => {
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map((number) => statesOf(queue, number))), [
      undefined,
      undefined,
      ['no-route'],
      ['ready'],
    ])
    // Nor does the command that sends mail another way.
    await queue.hold(message(5, { to: { 'x%elsewhere.test@example.test': {}, 'you@example.test': {} } }))
  })
  assert.match((await run('route', heldId(5), '--to', 'smtp://127.0.0.1:9')).out, /^1 message/)
  await withStore(async (queue) => {
    const entry = await queue.get(heldId(5))
    assert.deepEqual(
      entry?.recipients.map(({ recipient, lane: of }) => [recipient.text, of.startsWith('chosen:')]),
      [
        ['x%elsewhere.test@example.test', false],
        ['you@example.test', true],
      ],
    )
  })
})

test('links and pipes in a folder that others write to: nothing is written through one, and none is waited for', async (t) => {
  const { folder, run, withStore } = await stage(t)
  const out = join(folder, 'out')
  const both = { 'a@example.test': {}, 'b@example.test': {} }
  await withStore(async (queue) => {
    for (const number of [1, 2, 3, 4]) await queue.hold(message(number, { to: both }))
  })
  assert.equal((await run('export', out)).code, 0)
  await withStore((queue) => queue.settle({ id: heldId(1), recipients: [{ index: 1, to: { kind: 'gone' } }] }))
  const path = (number: number, ending: string) => join(out, `${heldId(number)}.${ending}`)
  const precious = join(folder, 'precious')
  await writeFile(precious, 'precious')
  for (const ending of ['json.new', 'eml.new']) await symlink(precious, path(1, ending))
  const fifo = (at: string) => promisify(execFile)('mkfifo', [at])
  await rm(path(2, 'json'))
  await fifo(path(2, 'json'))
  await rm(path(3, 'json'))
  await symlink('/dev/zero', path(3, 'json'))
  await withStore((queue) =>
    queue.settle({ id: heldId(4), recipients: [0, 1].map((index) => ({ index, to: { kind: 'gone' } })) }),
  )
  await rm(path(4, 'eml'))
  await fifo(path(4, 'eml'))

  const imported = await run('import', out)
  assert.equal(imported.code, 1)
  for (const what of [
    '02 was not taken in: \\S*02\\.json is no',
    '03 was not taken in: \\S*03\\.json is no',
    '04 was not taken in: \\S*04\\.eml: it is no',
  ])
    assert.match(imported.err, new RegExp(`${what} regular file`))
  assert.equal(imported.out, '1 message taken in, without 1 recipient held already.\n')
  assert.equal(await readFile(precious, 'utf8'), 'precious')

  await rename(path(1, 'json.imported'), path(1, 'json'))
  await symlink(precious, path(1, 'json.new'))
  const exported = await run('export', out)
  assert.equal(exported.code, 1)
  assert.match(exported.err, /02 stays where it is: \S*02\.json in this folder is no envelope/)
  assert.match(exported.err, /03 stays where it is: \S*03\.json in this folder is no envelope/)
  assert.equal(await readFile(precious, 'utf8'), 'precious')
  assert.equal(JSON.parse(await readFile(path(1, 'json'), 'utf8')).recipients.length, 2)
})

test('the store of another process is not touched, nor that of another user', async (t) => {
  const { folder, run, withStore } = await stage(t)
  assert.match((await run('list')).err, /there is no state folder/)
  await withStore(async () => {
    const listed = await run('list')
    assert.equal(listed.code, 2)
    assert.match(listed.err, /is in use by process \d+ \(.*\), and nobody answers on its control\.sock/)
  })
  // Root can give a folder away; everybody else has one of root.
  const state = join(folder, 'state')
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(state, 4242, 4242)
  else {
    await rm(state, { recursive: true })
    await symlink('/', state)
  }
  const others = await run('list')
  assert.equal(others.code, 2)
  assert.match(
    others.err,
    new RegExp(`belongs to another user \\(${isRoot ? 4242 : 'root'}\\): run this as that user, with "sudo -u `),
  )
})

const settleOne = (queue: Queue, number: number, to: Settled) =>
  queue.settle({ id: heldId(number), recipients: [{ index: 0, to }] })
