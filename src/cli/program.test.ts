import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Command } from 'commander'
import { startDns } from '../../test/lab/dns.ts'
import { systemClock } from '../base/clock.ts'
import { createBackgroundReader } from '../config/background.ts'
import { type ReadInPieces, readInPieces } from '../config/load.ts'
import { type ControlHandlers, controlPath, createControl } from '../gateway/operate/control.ts'
import { backendCommand } from './backend.ts'
import { configCommand } from './config/config.ts'
import { createProgram } from './program.ts'
import { importDnsCommand } from './publish/import.ts'
import { queueCommand } from './queue/queue.ts'
import { Unanswered } from './terminal.ts'
import { webCommand } from './web.ts'

const waypost = (...words: string[]) => waypostAs(process.getuid?.(), ...words)
const waypostAs = (userId: number | undefined, ...words: string[]) => waypostReading(readHere, userId, ...words)

/** A thread for each would take most of the time. */
const readHere: ReadInPieces = (path, machineName) => readInPieces(path, machineName, systemClock.now())

async function waypostReading(
  read: ReadInPieces,
  userId: number | undefined,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const terminal = {
    out(text: string) {
      out += text
    },
    err(text: string) {
      err += text
    },
  }
  const program = createProgram('1.2.3', terminal, (run) => [
    configCommand(run, userId, read),
    backendCommand(run),
    webCommand(run, undefined),
    importDnsCommand(run),
    queueCommand(run, {
      bytes: { isTerminal: false, write: async () => assert.fail() },
      confirm: undefined,
      columns: 80,
    }),
  ])
  const code = await program.run(words)
  return { code, out, err }
}

async function config(t: TestContext, text: string): Promise<{ file: string; state: string }> {
  const path = await mkdtemp(join(tmpdir(), 'waypost-cli-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  await writeFile(join(path, 'waypost.yaml'), `state: .\n${text}`)
  return { file: join(path, 'waypost.yaml'), state: path }
}

async function gateway(t: TestContext, state: string, handlers: ControlHandlers): Promise<void> {
  const control = await createControl({ path: controlPath(state), clock: systemClock, onError: assert.fail }, handlers)
  t.after(() => (control.kind === 'listening' ? control.close() : undefined))
}

const good = 'domains: { example.org: { deliver: mx } }'

test('help and version are no mistakes; a wrong word is, with the right one', async () => {
  assert.deepEqual(await waypost('--version'), { code: 0, out: '1.2.3\n', err: '' })
  const help = await waypost('config', 'check', '--help')
  assert.equal(help.code, 0)
  assert.match(help.out, /waypost config check -c waypost\.yaml/)
  const wrong = await waypost('confg')
  assert.equal(wrong.code, 2)
  assert.equal(wrong.err, `waypost: unknown command 'confg'\n(Did you mean config?)\n(see "waypost --help")\n`)
  const flag = await waypost('config', 'check', '--jsn')
  assert.equal(flag.code, 2)
  const where = '(see "waypost config check --help")\n'
  assert.equal(flag.err, `waypost: unknown option '--jsn'\n(Did you mean --json?)\n${where}`)
  assert.equal((await waypost('backend', 'out')).code, 2)
})

test('a file whose reading comes to no end is told as one that could not be read', async (t) => {
  const { file } = await config(t, good)
  const dying = createBackgroundReader(systemClock, () => new Worker('process.exit(7)', { eval: true }))
  const { code, out } = await waypostReading(dying, undefined, 'config', 'check', '-c', file)
  assert.equal(code, 2)
  assert.equal(
    out,
    `${file}: could not be read: the thread that reads it ended without a word (exit code 7). Try again, and report it if it stays so\n`,
  )
})

test('what is wrong on the command line ends with where the help is, whoever found it', async () => {
  const wrong = {
    'backend out': [],
    'backend in': ['nowhere'],
    'config chek': [],
    'config check': ['now'],
    'import dns': ['a b'],
    'queue list': ['--limit', 'many'],
    'queue hold': [],
    'queue export': ['folder', '--older-than', 'long'],
    'queue resume': ['smpt://10.0.0.1'],
    'web token': ['--name', 'a b'],
    'web password': [],
  }
  for (const [name, words] of Object.entries(wrong)) {
    const { code, out, err } = await waypost(...name.split(' '), ...words)
    assert.deepEqual([code, out], [2, ''], name)
    assert.match(
      err,
      new RegExp(`^waypost: [^\n]+\n(?:\\([^\n]+\n)?\\(see "waypost ${name.replace(' chek', '')} --help"\\)\n$`),
    )
  }
  // Where the help itself is told.
  assert.doesNotMatch((await waypost('config')).err, /\(see /)
})

test('a word of another program or place brings the command that does it, and never its opposite', async () => {
  const meant = async (...words: string[]) => {
    const { code, err } = await waypost(...words)
    assert.equal(code, 2)
    return /\(Did you mean (.*)\?\)/.exec(err)?.[1]
  }
  assert.equal(await meant('queue', 'delete', '01M84TXJDW'), 'remove')
  assert.equal(await meant('queue', 'relase'), 'release')
  assert.equal(await meant('reload'), 'config reload')
  assert.equal(await meant('import', 'example.com'), 'import dns example.com')
  assert.equal(await meant('import', 'dsn', 'example.com'), 'dns')
  assert.equal(await meant('config', 'constructor'), undefined)
})

test('a file behind config check is given by -c, which is said', async (t) => {
  const { file } = await config(t, good)
  const { code, err } = await waypost('config', 'check', file)
  assert.equal(code, 2)
  assert.match(
    err,
    /^waypost: too many arguments for 'check'\. .*\n\(the file is given by -c FILE\)\n\(see "waypost config check --help"\)\n$/,
  )
  assert.doesNotMatch((await waypost('config', 'check', 'now')).err, /-c FILE/)
})

test('help for a command that there is none of says so, with the right one', async () => {
  const wrong = await waypost('help', 'confg')
  assert.deepEqual(wrong, await waypost('confg'))
  assert.equal(wrong.code, 2)
  const deep = await waypost('help', 'config', 'relod')
  assert.deepEqual(deep, await waypost('config', 'relod'))
  assert.match(deep.err, /^waypost: unknown command 'relod'\n\(Did you mean reload\?\)/)
})

test('help goes as deep as it is asked to, and each command has an example', async () => {
  const deep = await waypost('help', 'config', 'reload')
  assert.equal(deep.code, 0)
  assert.deepEqual(deep, await waypost('config', 'reload', '--help'))
  assert.match(deep.out, /--allow-removal/)
  for (const name of ['config', 'backend']) {
    const { code, out } = await waypost(name, '--help')
    assert.equal(code, 0)
    assert.match(out, new RegExp(`\\nExamples?:\\n  waypost ${name} `))
  }
  assert.match((await waypost('help')).out, /Examples:\n {2}waypost demo/)
})

test('config check: a secret and a program that are not there are worth a look', async (t) => {
  const variable = 'WAYPOST_TEST_UNSET'
  const { file } = await config(
    t,
    [
      'domains: { a.example: { deliver: "smtp://127.0.0.1:1" } }',
      'listen: { smtp: "127.0.0.1:2525", dns: "127.0.0.1:5353", http: off }',
      'publishers: { zones: { type: zonefile, path: "/z/{zone}", check: [sh], reload: [no-such-rndc, reload] } }',
      'alerts:',
      `  webhook: [{ url: "https://hooks.example.net/x", token: "\${${variable}}" }]`,
      `  command: [{ run: [/nowhere/program] }, { run: [sh] }, { run: [${tmpdir()}] }]`,
    ].join('\n'),
  )
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 0, out)
  assert.match(out, /look +alerts\.webhook\[1\]\.token: the environment has no WAYPOST_TEST_UNSET/)
  assert.match(out, /look +alerts\.command\[1\]\.run: there is no \/nowhere\/program/)
  assert.match(out, /look +alerts\.command\[3\]\.run: .* is no program/)
  assert.match(
    out,
    /look +publishers\.zones\.reload: there is no no-such-rndc in \/usr\/local\/sbin:.*; write its whole path/,
  )
  assert.doesNotMatch(out, /command\[2\]|zones\.check/)
  assert.match(out, /listeners +smtp 127\.0\.0\.1:2525, dns 127\.0\.0\.1:5353\n/)
})

test('config check: the folder that a Maildir lies in is missing, or is none; what is made by itself is no doubt', async (t) => {
  const { file, state } = await config(
    t,
    [
      'domains:',
      '  a.example: { deliver: "maildir:missing/{local}" }',
      '  b.example: { deliver: "maildir:missing/deep/box", recipients: any }',
      '  c.example: { deliver: "maildir:box", recipients: any, addresses: { "a@": "maildir:waypost.yaml" } }',
      'postmaster: maildir:waypost.yaml/box',
    ].join('\n'),
  )
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 0, out)
  const [, doubts = ''] = out.replaceAll(state, '').split('Not there for who runs this command')
  assert.deepEqual(
    doubts.split('\n').flatMap((line) => / look {8}(.*)/.exec(line)?.[1] ?? []),
    [
      'maildir:/missing/{local}: the folder /missing is missing: make it, and a folder in it for each who gets mail; until then no mail gets there',
      'maildir:/missing/deep/box: the folder /missing/deep is missing, and only "box" in it is made by itself: make it; until then no mail gets there',
      'maildir:/waypost.yaml: /waypost.yaml, or what leads to it, is no folder; until then no mail gets there',
      'maildir:/waypost.yaml/box: /waypost.yaml/box, or what leads to it, is no folder; until then no mail gets there',
    ],
  )
})

test('config check: a socket that is missing, or is none, is told as a missing folder is', async (t) => {
  const { file, state } = await config(
    t,
    [
      'domains:',
      '  a.example: { deliver: ["lmtp:./missing.sock", "lmtp:./waypost.yaml"] }',
      '  b.example: { deliver: "lmtp:./there.sock" }',
    ].join('\n'),
  )
  const server = createServer().listen(join(state, 'there.sock'))
  t.after(() => server.close())
  await once(server, 'listening')
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 0, out)
  assert.deepEqual(
    out
      .replaceAll(state, '')
      .split('\n')
      .flatMap((line) => / look {8}(.*)/.exec(line)?.[1] ?? []),
    [
      'lmtp:/missing.sock: there is no /missing.sock: start the server that makes it, or see where that listens; until then no mail gets there',
      'lmtp:/waypost.yaml: /waypost.yaml is no socket; until then no mail gets there',
    ],
  )
})

test('config check: what is in order and probably not meant is told with its place', async (t) => {
  const { file } = await config(
    t,
    [
      'domains:',
      '  a.example: { deliver: mx, exchangers: none }',
      '  b.example: { publish: builtin, exchangers: none }',
    ].join('\n'),
  )
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 0, out)
  assert.match(
    out,
    /\nProbably not meant:\n.*:3:41: "exchangers: none" tells senders that a\.example takes no mail .*takes its mail all the same.*\n.*\n.*\n.*:4:25: there is no built-in DNS server to publish at: listen\.dns is not set\n/,
  )
  const plain = JSON.parse((await waypost('config', 'check', '--no-network', '--json', '-c', file)).out)
  assert.deepEqual(
    plain.remarks.map(({ line }: { line: number }) => line),
    [3, 4],
  )
  await writeFile(
    file,
    'listen: { dns: "127.0.0.1:5353" }\ndomains: { a.example: { publish: builtin, exchangers: none }, b.example: { deliver: mx } }',
  )
  assert.doesNotMatch((await waypost('config', 'check', '--no-network', '-c', file)).out, /not meant/)
})

test('config check: 0 in order, 1 mistakes, 2 not there', async (t) => {
  const { file, state } = await config(t, good)
  const fine = await waypost('config', 'check', '-c', file)
  assert.equal(fine.code, 0)
  assert.match(fine.out, /^In order\.\n(?:.*\n)* {2}domains {4}1\n/)
  const json = await waypost('config', 'check', '-c', file, '--json')
  assert.equal(JSON.parse(json.out).domains, 1)

  await writeFile(file, 'domains:\n  example.org: { delivr: mx }\n')
  const wrong = await waypost('config', 'check', '-c', file)
  assert.equal(wrong.code, 1)
  assert.equal(
    wrong.out,
    `${file}:2:18: unknown key "delivr" in domains.example.org; did you mean "deliver"? Known: deliver, balance, onDefer, hold, unknownRecipients, refusedAfterHold, fanOut, unknownWait, delayNotice, recipients, addresses, exchangers, healthy, records, ttl, publish, absent
  2 |   example.org: { delivr: mx }
                       ^^^^^^
`,
  )
  const problems = JSON.parse((await waypost('config', 'check', '-c', file, '--json')).out).problems
  assert.deepEqual([problems[0].line, problems[0].column], [2, 18])
  const missing = await waypost('config', 'check', '-c', join(state, 'nope.yaml'))
  assert.equal(missing.code, 2)
})

test('config check sees a state folder whose path is too long for the socket in it', async (t) => {
  const { file } = await config(t, good)
  await writeFile(file, `${good}\nstate: /tmp/${'x'.repeat(100)}\n`)
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 1)
  assert.match(out, /:2:8: the path of the state folder is too long for the socket in it: .*name another with "state:"/)
})

test('config check sees a log file that nobody could serve with', async (t) => {
  const { file } = await config(t, `log: { file: none/there/mail.log }\n${good}`)
  const { code, out } = await waypost('config', 'check', '--no-network', '-c', file)
  assert.equal(code, 1)
  assert.match(out, new RegExp(`^${file}:2:14: the log file .* cannot be made: there is no folder .*mkdir -p`))
})

test('config check sees a state folder that this user could not serve with', async (t) => {
  const { file, state } = await config(t, good)
  const { uid } = await stat(state)
  const another = await waypostAs(uid + 1, 'config', 'check', '-c', file)
  assert.equal(another.code, 0)
  assert.match(
    another.err,
    new RegExp(
      `^${file}:1:8: the state folder ${state} belongs to another user \\(${uid}\\): only that user, or root, can serve with it\\. Run this as that user, .* chown -R ${uid + 1} ${state}\\)`,
    ),
  )
  assert.equal((await waypostAs(0, 'config', 'check', '-c', file)).err, '')
  await writeFile(file, `state: not-there-yet/nor-this\n${good}`)
  assert.deepEqual(await waypost('config', 'check', '-c', file).then(({ code, err }) => [code, err]), [0, ''])
})

test('config check: a state folder that nobody can have is a mistake with its place', async (t) => {
  const { file } = await config(t, good)
  const wrong = {
    'waypost.yaml':
      /^.*:2:8: the state folder .*waypost\.yaml is not a folder: name another with "state:", or move what is there away\n/,
    'waypost.yaml/x':
      /^.*:2:8: the state folder .*waypost\.yaml\/x lies below something that is not a folder: name another with "state:"\n/,
    '/proc/nosuch/x':
      /^.*:2:8: the state folder \/proc\/nosuch\/x cannot be made: \/proc keeps no files; name another with "state:"\n/,
  }
  for (const [state, pattern] of Object.entries(wrong)) {
    await writeFile(file, `# here\nstate: ${state}\n${good}`)
    const { code, out, err } = await waypost('config', 'check', '-c', file)
    assert.deepEqual([code, err], [1, ''])
    assert.match(out, pattern)
    assert.doesNotMatch(out, /In order/)
    const json = JSON.parse((await waypost('config', 'check', '-c', file, '--json')).out)
    assert.deepEqual([json.valid, json.problems[0].line, json.problems[0].column], [false, 2, 8])
  }
})

test('config check: a state folder that this user cannot make is told; root can make every one', async (t) => {
  const { file, state } = await config(t, good)
  const closed = join(state, 'closed')
  await mkdir(closed, { mode: 0o500 })
  await writeFile(file, `state: closed/x/y\n${good}`)
  const { code, err } = await waypost('config', 'check', '-c', file)
  assert.equal(code, 0)
  if (process.getuid?.() === 0) assert.equal(err, '')
  else
    assert.match(
      err,
      /:1:8: the state folder .*\/closed\/x\/y cannot be made by this user: .*\/closed cannot be written \(EACCES\)\. Make it as root \(install -d -m 700 -o \d+ .*\/closed\/x\/y\), or name another/,
    )
})

test('config check says what notices to senders need, and is silent of it with --no-network', async (t) => {
  const dns = await startDns(t, {
    'mx.waypost.example': { A: ['9.8.7.6'], TXT: ['v=spf1 ip4:9.8.7.7 -all'] },
    '6.7.8.9.in-addr.arpa': { PTR: ['mx.waypost.example'] },
  })
  const { address, port } = dns.server
  const text = `hostname: mx.waypost.example\nresolver: { servers: ['${address}:${port}'] }\npublicAddresses: [9.8.7.6]\ndomains: { example.org: { deliver: 'smtp://127.0.0.1:2526' } }\n`
  const { file } = await config(t, text)
  const { code, out } = await waypost('config', 'check', '-c', file)
  assert.equal(code, 0, out)
  assert.match(
    out,
    /^Mail of our own.*\n {2}ok .*mx\.waypost\.example.*\n {2}look .*SPF.*fail for 9\.8\.7\.6.*\n {2}not checked port 25/m,
  )
  const quiet = await waypost('config', 'check', '-c', file, '--no-network')
  assert.deepEqual([quiet.code, /Mail of our own/.test(quiet.out)], [0, false])
})

test('config schema is a JSON Schema with a place for every key', async () => {
  const { code, out } = await waypost('config', 'schema')
  assert.equal(code, 0)
  const schema = JSON.parse(out)
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  assert.equal(schema.properties.limits.properties.connections.default, 10_000)
  assert.equal(schema.properties.domains.additionalProperties.properties.deliver.anyOf.length, 2)
})

test('backend and reload: without a gateway one clear line and 2', async (t) => {
  const { file, state } = await config(t, good)
  const ofState = 'Where "state:" has changed: that takes a restart. The gateway that runs still has its old one.\n'
  for (const words of [
    ['backend', 'list'],
    ['backend', 'drain', 'mx'],
    ['config', 'reload'],
  ]) {
    const { code, out, err } = await waypost(...words, '-c', file)
    assert.deepEqual(
      { code, out, err },
      {
        code: 2,
        out: '',
        err: `waypost: no gateway is running on the state folder ${state}\n${words[0] === 'config' ? ofState : ''}`,
      },
    )
  }
})

test('backend list shows what the gateway says, made safe, also of one of an older version', async (t) => {
  const { file, state } = await config(t, good)
  const backends = [
    { url: 'smtp://10.0.0.1:25', address: '10.0.0.1:25', state: 'up', sessions: 3, lastError: null, share: 2 / 3 },
    { url: 'smtp://10.0.0.2:25', address: '', state: 'down', sessions: 0, lastError: 'refused\u001b[2J', share: 1 / 3 },
  ]
  await gateway(t, state, { 'backend.list': () => ({ kind: 'done', result: backends }) })
  const { code, out } = await waypost('backend', 'list', '-c', file)
  assert.equal(code, 1)
  assert.equal(
    out,
    `BACKEND             STATE  SINCE  SESSIONS  SHARE  PREF  WEIGHT  FOR
smtp://10.0.0.1:25  up     -      3         67 %   -     -       -
smtp://10.0.0.2:25  down   -      0         33 %   -     -       -
  refused\\x1b[2J
`,
  )
  assert.deepEqual(JSON.parse((await waypost('backend', 'list', '--json', '-c', file)).out), backends)
})

test('reload says what the gateway says: what could not follow, and what is probably not meant', async (t) => {
  const { file, state } = await config(t, good)
  const remark = { file, line: 1, column: 4, sourceLine: 'state: .', width: 2, message: 'the certificate has ended' }
  const result = { remarks: [remark], later: ['the dashboard could not follow'] }
  await gateway(t, state, { 'config.reload': () => ({ kind: 'done', result }) })
  assert.deepEqual(await waypost('config', 'reload', '-c', file), {
    code: 0,
    out: 'Reloaded.\n',
    err: `the dashboard could not follow\n\nProbably not meant:\n${file}:1:4: the certificate has ended\n  1 | state: .\n         ^^\n`,
  })
})

test('drain and enable name the backend in its canonical spelling, also while the file is wrong', async (t) => {
  const { file, state } = await config(t, good)
  const asked: unknown[] = []
  await gateway(t, state, {
    'backend.drain': (given) => {
      asked.push(given.url)
      return { kind: 'done', result: null }
    },
    'backend.enable': () => ({ kind: 'failed', why: 'no such backend' }),
  })
  await writeFile(file, 'state: .\ndomains: { example.org: { delivr: mx } }')
  const drained = await waypost('backend', 'out', 'SMTP://Host.example', '-c', file)
  assert.deepEqual(drained, { code: 0, out: 'smtp://host.example:25 gets no new mail.\n', err: '' })
  assert.deepEqual(asked, ['smtp://host.example:25'])
  const enabled = await waypost('backend', 'enable', 'smtp://other', '-c', file)
  assert.deepEqual([enabled.code, enabled.err], [2, 'waypost: no such backend\n'])
  assert.equal((await waypost('backend', 'drain', 'host.example', '-c', file)).code, 2)
})

test('who goes away from a question has not said yes: nothing is done, and it is told without a stack', async () => {
  let err = ''
  const terminal = {
    out: () => undefined,
    err(text: string) {
      err += text
    },
  }
  const program = createProgram('1.2.3', terminal, (run) => [
    new Command('ask').action(() => run(() => Promise.reject(new Unanswered('no answer was given')))),
  ])
  assert.equal(await program.run(['ask']), 2)
  assert.equal(err, '\nNo answer was given, and what was asked about was not done.\n')
})

test('a token goes to standard output alone, and what lets it in to standard error', async () => {
  const { code, out, err } = await waypost('web', 'token', '--name', 'prometheus')
  assert.equal(code, 0)
  assert.match(out, /^prometheus\.[\w-]{43}\n$/)
  assert.match(err, /^For waypost\.yaml, .*\nweb:\n {2}access:\n {4}- \{ name: prometheus, role: view, hash: "scrypt:/)
  assert.ok(!err.includes(out.trim()))
})
