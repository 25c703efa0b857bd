/** `waypost queue` with a real process: beside a gateway that runs, and on the store of one that has stopped. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFakeClock } from '../lab/fake-clock.ts'
import { startLab } from '../lab/lab.ts'
import { callWaypost as call } from '../lab/process.ts'

const domains = (one: unknown, other: unknown) => ({
  routes: { spare: [other] },
  domains: { 'one.test': { deliver: [one] }, 'two.test': { deliver: 'spare' } },
})

test('messages are held: they are listed, shown, held back, released, routed and removed', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend({ connect: 'refuse' }), await lab.backend({ connect: 'refuse' })]
  const running = await lab.process({ config: domains(one, other) })
  const queue = (...words: readonly string[]) => call(running, 'queue', ...words)
  for (const [to, from] of [
    ['a@one.test', 'joe@sender.test'],
    ['b@one.test', 'list@news.test'],
    ['c@two.test', 'joe@sender.test'],
  ])
    assert.equal((await lab.send({ to: to ?? '', from: from ?? '', body: `for ${to}\x1b[2J` })).code, 250)

  const stats = JSON.parse((await queue('stats', '--json')).stdout)
  assert.equal(stats.messages, 3)
  assert.deepEqual(
    stats.domains.map((each: { domain: string; messages: number }) => [each.domain, each.messages]),
    [
      ['one.test', 2],
      ['two.test', 1],
    ],
  )
  assert.match((await queue('stats')).stdout, /█+ +one\.test +2 .*\n█+ +two\.test +1 /)

  const listed = JSON.parse((await queue('list', '--json')).stdout)
  const ids: string[] = listed.messages.map(({ id }: { id: string }) => id)
  assert.equal(ids.length, 3)
  const first = await queue('list', '--limit', '2')
  assert.equal(first.stdout.trim().split('\n').length, 3, first.stdout)
  const after = /--after (\d+)/.exec(first.stderr)?.[1] ?? assert.fail(first.stderr)
  assert.match((await queue('list', '--after', after)).stdout, /^ID .*\n\S+ .* c@two\.test\n$/)
  assert.match((await queue('list', '--sender', '@news.test')).stdout, /^ID .*\n\S+ .* b@one\.test\n$/)
  assert.equal((await queue('list', '--older-than', '1h')).stdout, 'Nothing is held that fits.\n')
  assert.equal((await queue('list', '--older-than', 'soon')).code, 2)

  const shown = await queue('show', ids[0] ?? '')
  assert.match(
    shown.stdout,
    /joe@sender\.test[\s\S]*a@one\.test\n +ready: goes as soon as[\s\S]*Header\n {2}Received: from sender\.test/,
  )
  // All three came in the same minute, so a few letters mean all of them.
  const several = await queue('show', ids[0]?.slice(0, 4) ?? '')
  assert.deepEqual([several.code, several.stdout], [1, ''])
  assert.match(several.stderr, /several messages/)
  assert.equal((await queue('show', 'ZZZZ')).code, 1)

  const raw = await queue('cat', ids[0] ?? '')
  assert.match(raw.stdout, /^Received: from sender\.test[\s\S]*\r\n\r\nfor a@one\.test\x1b\[2J\r\n$/)

  assert.deepEqual(
    [(await queue('hold', '--domain', 'one.test')).stdout, (await queue('hold', '--domain', 'one.test')).code],
    ['2 messages kept back.\n', 1],
  )
  const twice = await queue('hold', ids[0] ?? '')
  assert.deepEqual([twice.code, twice.stderr], [1, `${ids[0]} stays as it is: it is kept back already\n`])
  const goes = await queue('release', ids[2] ?? '')
  assert.deepEqual([goes.code, goes.stderr], [1, `${ids[2]} stays as it is: it is not kept back\n`])
  const kept = await queue('retry', '--domain', 'one.test')
  assert.deepEqual(
    [kept.code, kept.stdout, kept.stderr],
    [1, '', '2 messages are kept back by a person: "waypost queue release" lets them go.\n'],
  )
  const nobody = await queue('retry', '--domain', 'two.test')
  assert.equal(nobody.code, 0, nobody.stderr)
  assert.match(nobody.stdout, /^1 message will go as soon as a backend is up: none was at the last look/)
  await one.restart()
  await other.restart()
  // The gateway looks by itself too, and may be faster.
  await queue('retry', '--domain', 'two.test')
  await lab.until(() => other.messages.length === 1)
  assert.equal(one.messages.length, 0)
  assert.match((await queue('list', '--state', 'held')).stdout, /held[\s\S]*held/)

  const nowhere = await queue('route', ids[0] ?? '', '--to', 'smtp://127.0.0.1:9')
  assert.equal(nowhere.code, 2)
  const ways = `spare, ${one.url}, ${other.url}, maildir:`
  // The list of one.test has no other name, and --to takes this one.
  assert.match(nowhere.stderr, /, one\.test\n$/)
  assert.ok(nowhere.stderr.includes(` is no backend or route of waypost.yaml for it`), nowhere.stderr)
  assert.ok(nowhere.stderr.includes(`here are ${ways}`), nowhere.stderr)
  const mistyped = await queue('route', ids[0] ?? '', '--to', 'sapre')
  assert.equal(mistyped.code, 2)
  assert.ok(mistyped.stderr.includes(`for it; did you mean "spare"? There are ${ways}`), mistyped.stderr)
  const unsaidRoute = await queue('route', '--to', other.url)
  assert.deepEqual([unsaidRoute.code, unsaidRoute.stdout], [2, ''])
  assert.match(unsaidRoute.stderr, /say which: ids, a filter/)
  assert.equal((await queue('route', '--recipient', 'a@one.test', '--to', other.url)).code, 0)
  assert.equal((await queue('release', ids[0] ?? '')).stdout, '1 message released.\n')
  await lab.until(() => other.messages.length === 2)
  assert.match(String(other.messages[1]?.content), /for a@one\.test/)
  await lab.until(async () => JSON.parse((await queue('stats', '--json')).stdout).messages === 1)

  const unsaid = await queue('remove', '--all')
  assert.equal(unsaid.code, 2)
  assert.match(unsaid.stderr, /this would remove 1 message \(1 recipient, \d+ B\): say --yes/)
  assert.equal((await queue('remove')).code, 2)
  assert.equal((await queue('remove', '--all', '--yes')).stdout, '1 message removed.\n')
  assert.equal((await queue('list')).stdout, 'Nothing is held.\n')
  assert.equal((await queue('retry', '--all')).stderr, 'Nothing is held.\n')
  assert.equal(one.messages.length, 0)
})

test('what is shown of a held message says who said it and when: Waypost as it came, then the servers that were asked', async (t) => {
  const lab = await startLab(t)
  let answer: string | Promise<string> = '451 4.3.0 the disk is full'
  const backend = await lab.backend({ rcpt: async () => await answer })
  const running = await lab.process({ config: { domains: { 'one.test': { deliver: [backend] } } } })
  assert.equal((await lab.send({ to: 'a@one.test' })).code, 250)
  // The drain comes in five seconds, and hears nothing before we have looked.
  const looked = Promise.withResolvers<string>()
  answer = looked.promise
  const [{ id, receivedMs }] = JSON.parse((await call(running, 'queue', 'list', '--json')).stdout).messages
  const came = new Date(receivedMs).toISOString().slice(0, 19).replace('T', ' ')
  const show = async () => (await call(running, 'queue', 'show', id)).stdout
  const first = await show()
  assert.match(
    first,
    new RegExp(`when it was held, ${came}Z, Waypost noted: 451 4\\.3\\.0 The servers for this address`),
  )
  assert.match(first, new RegExp(`What each server said then is in the log: waypost trace ${id}\n`))
  looked.resolve('450 4.2.1 the box is busy')
  await lab.until(async () => / 1 attempt\n/.test(await show()))
  const then = await show()
  assert.match(then, /last answer, [-0-9]{10} [:0-9]{8}Z, by 127\.[.0-9]+: 450 4\.2\.1 the box is busy\n/)
  assert.doesNotMatch(then, /waypost trace/)
})

test('a message that a person has sent another way: its size and its time are the same wherever they are shown', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend({ connect: 'refuse' }), await lab.backend({ connect: 'refuse' })]
  const running = await lab.process({ config: domains(one, other) })
  assert.equal((await lab.send({ to: 'a@one.test' })).code, 250)
  const asked = async (...words: readonly string[]) =>
    JSON.parse((await call(running, 'queue', ...words, '--json')).stdout)
  const [message] = (await asked('list')).messages
  assert.equal((await call(running, 'queue', 'route', message.id, '--to', other.url)).code, 0)
  const domain = async () => (await asked('stats')).domains[0]
  // No backend is up, so no time is named: it goes as soon as one is.
  const shown = async () => (await asked('show', message.id)).recipients[0]
  await lab.until(async () => (await domain()).nextMs === null && (await shown()).nextMs === null)
  const text = (await call(running, 'queue', 'show', message.id)).stdout
  assert.match(text, /ready: .*, when one is up\n/)
  assert.ok(text.includes(`    way ${other.url} (chosen by a person), `), text)
  await lab.until(() =>
    running.lines.some(({ event, way }) => event === 'sent another way by a person' && way === other.url),
  )
  assert.match((await call(running, 'queue', 'stats')).stdout, / when one is up +ready 1\n/)
  assert.deepEqual([(await domain()).octets, (await asked('stats')).octets], [message.size, message.size])
  assert.match((await call(running, 'queue', 'stats')).stdout, /NEXT +RECIPIENTS\n/)
})

test('a person retries: the backend is looked at at once, and the mail goes', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const clock = createFakeClock()
  const gateway = await lab.gateway({ deliver: [backend], hold: {} }, { clock })
  assert.equal((await lab.send({ to: 'you@example.test' })).code, 250)
  assert.equal(gateway.backends()[0]?.state, 'down')
  await backend.restart()
  const operations = gateway.heldMail?.operations ?? assert.fail()
  const retried = await operations.act('retry', {}, undefined)
  assert.ok('withoutBackend' in retried)
  assert.deepEqual([retried.messages, retried.withoutBackend], [1, 1])
  // Less time passes than until the gateway's own first look, 800 ms after it went down.
  await lab.until(() => {
    if (clock.monotonicMs() < 700) clock.advance(1)
    return backend.messages.length === 1
  })
})

test('messages leave for a folder and come back from it, with the gateway stopped and running, once each', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse' })
  const config = domains(backend, backend)
  const running = await lab.process({ config })
  const body = `${'x'.repeat(70)}\r\n`.repeat(6_000)
  for (const number of [1, 2, 3, 4])
    assert.equal(
      (await lab.send({ to: `you${number}@one.test`, body: number === 4 ? body : `number ${number}.` })).code,
      250,
    )
  const folder = join(lab.folder, 'held')

  const copied = await call(running, 'queue', 'export', folder, '--recipient', 'you1@one.test')
  assert.equal(copied.stdout, `1 message copied to ${folder}.\n`)
  const moved = await call(running, 'queue', 'export', folder, '--remove')
  assert.deepEqual([moved.code, moved.stdout], [0, `4 messages moved to ${folder}.\n`], moved.stderr)
  assert.equal((await call(running, 'queue', 'list')).stdout, 'Nothing is held.\n')
  const names = await readdir(folder)
  assert.deepEqual([names.length, names.filter((name) => name.endsWith('.eml')).length], [8, 4])

  running.signal('SIGTERM')
  await running.exited
  // On a stopped gateway, as another machine would.
  const there = await call(running, 'queue', 'import', folder)
  assert.deepEqual([there.code, there.stdout], [0, '4 messages taken in.\n'], there.stderr)
  assert.equal((await call(running, 'queue', 'import', folder)).stdout, '0 messages taken in.\n')
  const listed = await call(running, 'queue', 'list')
  assert.equal(listed.stdout.trim().split('\n').length, 5, listed.stdout)
  const again = join(lab.folder, 'again')
  assert.equal((await call(running, 'queue', 'export', again)).stdout, `4 messages copied to ${again}.\n`)
  for (const name of await readdir(again)) {
    if (name.endsWith('.eml')) assert.ok((await readFile(join(again, name))).equals(await readFile(join(folder, name))))
  }

  await backend.restart()
  await lab.process({ config: { ...config, state: running.state } })
  await lab.until(() => backend.messages.length === 4)
  const numbers = backend.messages.map(({ content }) => /number (\d)/.exec(String(content))?.[1] ?? '4')
  assert.deepEqual(numbers.toSorted(), ['1', '2', '3', '4'])
})

test('what a person sent another way goes that way when it comes back, and it is said where that is not declared', async (t) => {
  const lab = await startLab(t)
  const [one, other] = [await lab.backend({ connect: 'refuse' }), await lab.backend({ connect: 'refuse' })]
  const running = await lab.process({ config: domains(one, other) })
  assert.equal((await lab.send({ to: ['a@one.test', 'b@one.test'], body: 'for two' })).code, 250)
  const ways = async (process: typeof running) =>
    JSON.parse((await call(process, 'queue', 'list', '--json')).stdout).messages.map(
      ({ recipients }: { recipients: { way: string }[] }) => recipients.map(({ way }) => way),
    )
  assert.equal((await call(running, 'queue', 'route', '--recipient', 'a@one.test', '--to', other.url)).code, 0)
  const before = [[other.url, 'one.test']]
  assert.deepEqual(await ways(running), before)

  const [folder, away] = [join(lab.folder, 'held'), join(lab.folder, 'away')]
  assert.equal((await call(running, 'queue', 'export', folder, '--remove')).code, 0)
  const back = await call(running, 'queue', 'import', folder)
  assert.deepEqual([back.code, back.stdout, back.stderr], [0, '1 message taken in.\n', ''])
  assert.deepEqual(await ways(running), before)

  assert.equal((await call(running, 'queue', 'export', away, '--remove')).code, 0)
  const elsewhere = await lab.process({ config: { domains: { 'one.test': { deliver: [one] } } } })
  const there = await call(elsewhere, 'queue', 'import', away)
  assert.deepEqual([there.code, there.stdout], [0, '1 message taken in.\n'])
  assert.match(
    there.stderr,
    /^\S{26} goes by the route of its domain: (\S+), where a person had sent it, is not declared here\.\n$/,
  )
  assert.ok(there.stderr.includes(` ${other.url}, `), there.stderr)
  assert.deepEqual(await ways(elsewhere), [['one.test', 'one.test']])
})

test('a notice of our own leaves and comes back as what it is, for who trusts the folder', async (t) => {
  const lab = await startLab(t)
  const backend = await lab.backend({ connect: 'refuse', rcpt: '550 5.1.1 no such user' })
  const home = await lab.backend({ connect: 'refuse' })
  const config = {
    trusted: ['127.0.0.1'],
    outbound: { via: home.url },
    domains: { 'one.test': { deliver: [backend.url] } },
  }
  const running = await lab.process({ config })
  assert.equal((await lab.send({ to: 'you@one.test', from: 'joe@partner.example' })).code, 250)
  await backend.restart()
  assert.equal((await call(running, 'queue', 'retry', '--all')).code, 0)
  const held = async () => JSON.parse((await call(running, 'queue', 'list', '--json')).stdout).messages
  await lab.until(async () => (await held())[0]?.recipients[0]?.to === 'joe@partner.example')

  const folder = join(lab.folder, 'held')
  await lab.until(async () => (await call(running, 'queue', 'export', folder, '--remove')).code === 0)
  assert.deepEqual(await held(), [])
  const refused = await call(running, 'queue', 'import', folder)
  assert.deepEqual([refused.code, refused.stdout], [1, '0 messages taken in.\n'])
  assert.match(
    refused.stderr,
    /^\S{26} was not taken in: it is a notice of our own to joe@partner\.example: it goes out as such with --own-mail, which trusts whoever wrote this folder\n$/,
  )
  await home.restart()
  const taken = await call(running, 'queue', 'import', folder, '--own-mail')
  assert.deepEqual([taken.code, taken.stdout, taken.stderr], [0, '1 message taken in.\n', ''])
  await lab.until(() => home.messages.length === 1)
  assert.deepEqual([home.messages[0]?.from, home.messages[0]?.to], ['', ['joe@partner.example']])
  await lab.until(async () => (await held()).length === 0)
})

test('a message leaves in parts, and every part that comes back is taken in, whatever of it is there', async (t) => {
  const lab = await startLab(t)
  const [one, two] = [await lab.backend({ connect: 'refuse' }), await lab.backend({ connect: 'refuse' })]
  const config = domains(one, two)
  const running = await lab.process({ config })
  const queue = (...words: readonly string[]) => call(running, 'queue', ...words)
  assert.equal((await lab.send({ to: ['a@one.test', 'b@two.test'], body: 'for both' })).code, 250)
  const [folder, other, copy] = ['one', 'two', 'copy'].map((name) => join(lab.folder, name)) as [string, string, string]
  assert.equal((await queue('export', copy)).code, 0)
  assert.equal((await queue('export', folder, '--domain', 'one.test', '--remove')).code, 0)

  // The rest of the message is still here.
  const back = await queue('import', folder)
  assert.deepEqual([back.code, back.stdout], [0, '1 message taken in.\n'], back.stderr)
  const held = async () =>
    JSON.parse((await queue('list', '--json')).stdout).messages.map(
      ({ recipients }: { recipients: { to: string; state: string }[] }) =>
        recipients.map(({ to, state }) => [to, state]),
    )
  const both = [
    [
      ['a@one.test', 'ready'],
      ['b@two.test', 'ready'],
    ],
  ]
  assert.deepEqual(await held(), both)
  assert.equal((await queue('import', folder)).stdout, '0 messages taken in.\n')

  // Nothing of it is here any more, and it comes from two folders, the second time with the gateway stopped.
  assert.equal((await queue('export', other, '--domain', 'two.test', '--remove')).code, 0)
  assert.equal((await queue('export', folder, '--domain', 'one.test', '--remove')).code, 0)
  assert.deepEqual(await held(), [])
  assert.equal((await queue('import', other)).stdout, '1 message taken in.\n')
  running.signal('SIGTERM')
  await running.exited
  assert.equal((await queue('import', folder)).stdout, '1 message taken in.\n')
  assert.deepEqual(await held(), both)

  // A person holds what is here; a copy of all brings in what is missing and leaves that alone.
  assert.equal((await queue('hold', '--domain', 'two.test')).code, 0)
  assert.equal((await queue('remove', '--domain', 'one.test', '--yes')).code, 0)
  const rest = await queue('import', copy)
  assert.deepEqual(
    [rest.code, rest.stdout],
    [0, '1 message taken in, without 1 recipient held already.\n'],
    rest.stderr,
  )
  assert.deepEqual(await held(), [
    [
      ['a@one.test', 'ready'],
      ['b@two.test', 'held'],
    ],
  ])
  assert.equal((await queue('release', '--domain', 'two.test')).code, 0)

  await one.restart()
  await two.restart()
  await lab.process({ config: { ...config, state: running.state } })
  await lab.until(() => one.messages.length === 1 && two.messages.length === 1)
})
