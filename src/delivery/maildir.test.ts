import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { begin, delivery, job, mailbox, message, stepLimits } from '../../test/unit/deliver.ts'
import { type Log, silentLog } from '../base/log.ts'
import type { Endpoint } from '../routing/backend.ts'
import { type MaildirFiles, systemFiles } from './maildir-files.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'maildir-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

function maildir(path: string): Endpoint {
  const url = `maildir:${path}`
  const options = { tls: 'may', helo: undefined, connections: 20, private: false } as const
  const backend = { key: url, url, address: { protocol: 'maildir', path }, options } as const
  return { key: url, backend, target: { kind: 'maildir' }, name: path, purpose: 'backend' }
}

const you = mailbox('You@example.test')

async function send(t: TestContext, path: string, recipients = [you], files: MaildirFiles = systemFiles) {
  const { delivery: out } = delivery(t, {}, { files })
  const transaction = await begin(out, maildir(path))
  const asked = await transaction.askRecipients(recipients, stepLimits())
  assert(asked.kind === 'answered')
  const codes = asked.replies.map((reply) => reply.code)
  if (!codes.includes(250)) return { codes, sent: undefined }
  return { codes, sent: await transaction.data(message('Subject: x\r\n\r\n.hi\r\n'), stepLimits()) }
}

const codesOf = (sent: Awaited<ReturnType<typeof send>>['sent']) =>
  sent?.kind === 'answered' ? sent.replies.map((reply) => `${reply.code} ${reply.enhanced}`) : sent?.kind

test('one box for all: made where missing, private, a file a recipient with LF lines', async (t) => {
  const base = await folder(t)
  const box = join(base, 'box')
  const { sent } = await send(t, box, [you, mailbox('"a b"@example.test')])
  assert.deepEqual(codesOf(sent), ['250 2.0.0', '250 2.0.0'])
  const files = await readdir(join(box, 'new'))
  assert.equal(files.length, 2)
  const contents = await Promise.all(files.map((file) => readFile(join(box, 'new', file), 'latin1')))
  const rest = 'Received: from client.example by mx.example.test; now\nSubject: x\n\n.hi\n'
  assert.deepEqual(contents.sort(), [
    `Return-Path: <sender@example.org>\nDelivered-To: "a b"@example.test\n${rest}`,
    `Return-Path: <sender@example.org>\nDelivered-To: You@example.test\n${rest}`,
  ])
  assert.deepEqual(await readdir(join(box, 'tmp')), [])
  for (const each of [box, join(box, 'new'), join(box, 'cur')]) assert.equal((await stat(each)).mode & 0o777, 0o700)
  for (const file of files) assert.match(file, /^\d+\.M\d+R[0-9a-f]{24}\.mx\.example\.test$/)
})

test('what leads to the boxes is missing, as on a disk that is not mounted: 451, never 550, and nothing is made', async (t) => {
  const base = await folder(t)
  assert.deepEqual((await send(t, join(base, 'mnt', '{local}'))).codes, [451])
  assert.deepEqual((await send(t, join(base, 'mnt', 'box'))).codes, [451])
  assert.deepEqual(await readdir(base), [])
})

test('a folder that is missing is told with its path and what to do', async (t) => {
  const base = await folder(t)
  const told: unknown[] = []
  const log: Log = { ...silentLog, warn: (event, fields) => void told.push([event, fields?.code, fields?.why]) }
  const transaction = await begin(delivery(t, {}, { log }).delivery, maildir(`${base}/mnt/{local}`))
  await transaction.askRecipients([you], stepLimits())
  const why = `the folder ${base}/mnt is missing: make it, and a folder in it for each who gets mail`
  assert.deepEqual(told, [['maildir cannot be written', 'ENOENT', why]])
})

test('one person in two spellings has one folder and gets one file', async (t) => {
  const base = await folder(t)
  await mkdir(join(base, 'you'))
  const { sent } = await send(t, `${base}/{local}`, [you, mailbox('yOU@example.test')])
  assert.deepEqual(codesOf(sent), ['250 2.0.0', '250 2.0.0'])
  assert.equal((await readdir(join(base, 'you', 'new'))).length, 1)
})

test('a folder a person: lower case, and it must exist', async (t) => {
  const base = await folder(t)
  await mkdir(join(base, 'you', 'Maildir'), { recursive: true })
  const path = `${base}/{local}/Maildir`
  const { codes, sent } = await send(t, path, [you, mailbox('nobody@example.test')])
  assert.deepEqual(codes, [250, 550])
  assert.deepEqual(codesOf(sent), ['250 2.0.0'])
  assert.equal((await readdir(join(base, 'you', 'Maildir', 'new'))).length, 1)
  assert.deepEqual(await readdir(base), ['you'])
})

test('local parts that could mean another folder are nobody', async (t) => {
  const base = await folder(t)
  await mkdir(join(base, 'boxes'))
  await mkdir(join(base, 'you'))
  await mkdir(join(base, 'boxes', '-x'))
  const names = [
    '".."',
    '"../you"',
    '"."',
    '"/etc"',
    '"a/b"',
    '-x',
    '".hidden"',
    '"you "',
    '"a\\\\b"',
    `${'x'.repeat(64)}`,
  ]
  for (const local of names) {
    const { codes } = await send(t, `${base}/boxes/{local}`, [mailbox(`${local}@example.test`)])
    assert.deepEqual(codes, [550], local)
  }
  assert.deepEqual(await readdir(join(base, 'boxes')), ['-x'])
})

test('nothing below the fixed part is a link; the fixed part may be one', async (t) => {
  const base = await folder(t)
  await mkdir(join(base, 'real', 'you'), { recursive: true })
  await mkdir(join(base, 'elsewhere'))
  await symlink(join(base, 'real'), join(base, 'boxes'))
  await symlink(join(base, 'elsewhere'), join(base, 'real', 'linked'))
  await mkdir(join(base, 'real', 'half'))
  await symlink(join(base, 'elsewhere'), join(base, 'real', 'half', 'new'))
  await writeFile(join(base, 'real', 'file'), '')
  const path = `${base}/boxes/{local}`
  const { codes } = await send(
    t,
    path,
    ['linked', 'half', 'file', 'you'].map((local) => mailbox(`${local}@example.test`)),
  )
  assert.deepEqual(codes, [550, 550, 550, 250])
  assert.deepEqual(await readdir(join(base, 'elsewhere')), [])
})

test('a folder that became a link between RCPT and the message gets nothing', async (t) => {
  const base = await folder(t)
  await mkdir(join(base, 'you'))
  await mkdir(join(base, 'elsewhere', 'new'), { recursive: true })
  await mkdir(join(base, 'elsewhere', 'tmp'))
  const { delivery: out } = delivery(t)
  const transaction = await begin(out, maildir(`${base}/{local}`))
  await transaction.askRecipients([you], stepLimits())
  await rm(join(base, 'you'), { recursive: true })
  await symlink(join(base, 'elsewhere'), join(base, 'you'))
  const sent = await transaction.data(message('x\r\n'), stepLimits())
  assert.deepEqual(codesOf(sent), ['451 4.3.0'])
  assert.deepEqual(await readdir(join(base, 'elsewhere', 'new')), [])
})

test('a link that takes the place of a folder in the midst of a delivery gets nothing', async (t) => {
  for (const [step, swapped] of [
    ['create', 'you/tmp'],
    ['create', 'you/new'],
    ['create', 'you'],
    ['rename', 'you/new'],
    ['rename', 'you'],
  ] as const) {
    const base = await folder(t)
    const elsewhere = join(base, 'elsewhere')
    for (const name of ['tmp', 'new', 'cur']) {
      await mkdir(join(base, 'you', name), { recursive: true })
      await mkdir(join(elsewhere, name), { recursive: true })
    }
    const swap = async () => {
      await rename(join(base, swapped), join(base, 'away'))
      await symlink(swapped === 'you' ? elsewhere : join(elsewhere, 'new'), join(base, swapped))
    }
    const files: MaildirFiles = {
      ...systemFiles,
      create: (path) => (step === 'create' ? swap() : Promise.resolve()).then(() => systemFiles.create(path)),
      rename: (from, to) => (step === 'rename' ? swap() : Promise.resolve()).then(() => systemFiles.rename(from, to)),
    }
    const { sent } = await send(t, `${base}/{local}`, [you], files)
    assert.deepEqual(codesOf(sent), ['250 2.0.0'], `${step} ${swapped}`)
    for (const name of ['tmp', 'new']) assert.deepEqual(await readdir(join(elsewhere, name)), [], `${step} ${swapped}`)
    const real = { you: 'away/new', 'you/new': 'away', 'you/tmp': 'you/new' }[swapped]
    assert.equal((await readdir(join(base, real))).length, 1, `${step} ${swapped}`)
  }
})

test('no folder stays open, whatever becomes of a delivery', async (t) => {
  const base = await folder(t)
  let open = 0
  const files = (fail: Partial<MaildirFiles> = {}): MaildirFiles => ({
    ...systemFiles,
    async enter(path, links) {
      const entered = await systemFiles.enter(path, links)
      if (typeof entered === 'string') return entered
      open++
      return { path: entered.path, leave: () => entered.leave().then(() => void open--) }
    },
    ...fail,
  })
  const broken = () => Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
  await mkdir(join(base, 'you', 'new'), { recursive: true })
  await symlink(base, join(base, 'you', 'cur'))
  assert.deepEqual((await send(t, `${base}/{local}`, [you], files())).codes, [550])
  await rm(join(base, 'you', 'cur'))
  assert.deepEqual((await send(t, `${base}/{local}`, [you], files({ mkdir: broken }))).codes, [451])
  assert.deepEqual(codesOf((await send(t, `${base}/{local}`, [you], files({ create: broken }))).sent), ['451 4.3.0'])
  assert.deepEqual(codesOf((await send(t, `${base}/{local}`, [you, mailbox('x@example.test')], files())).sent), [
    '250 2.0.0',
  ])
  assert.equal(open, 0)
})

/** The real file system that writes down what is done, and fails at one step. */
function watched(log: string[], fail?: { step: string; code: string }): MaildirFiles {
  const does = async <T>(step: string, run: () => Promise<T>): Promise<T> => {
    log.push(step)
    if (fail?.step === step) throw Object.assign(new Error(fail.code), { code: fail.code })
    return run()
  }
  const names = new Map<string, string>()
  return {
    ...systemFiles,
    async enter(path, links) {
      const entered = await systemFiles.enter(path, links)
      if (typeof entered !== 'string') names.set(entered.path, basename(path))
      return entered
    },
    async create(path) {
      const file = await does('create', () => systemFiles.create(path))
      return {
        write: (bytes) => does('write', () => file.write(bytes)),
        sync: () => does('sync', () => file.sync()),
        close: () => file.close().then(() => does('close', async () => {})),
      }
    },
    rename: (from, to) => does('rename', () => systemFiles.rename(from, to)),
    remove: (path) => does('remove', () => systemFiles.remove(path)),
    syncFolder: (path) => does(`sync ${names.get(path)}`, () => systemFiles.syncFolder(path)),
  }
}

async function existingBox(t: TestContext): Promise<string> {
  const box = await folder(t)
  for (const name of ['tmp', 'new', 'cur']) await mkdir(join(box, name))
  return box
}

test('the order that survives a power cut: written, synced, closed, renamed, its folder synced, then 250', async (t) => {
  const log: string[] = []
  const { sent } = await send(t, await existingBox(t), [you], watched(log))
  assert.deepEqual(codesOf(sent), ['250 2.0.0'])
  assert.deepEqual(log, ['create', 'write', 'write', 'write', 'sync', 'close', 'rename', 'sync new'])
})

for (const step of ['create', 'write', 'sync', 'close', 'rename', 'sync new']) {
  for (const [code, answer] of [
    ['EIO', '451 4.3.0'],
    ['ENOSPC', '452 4.3.1'],
    ['EDQUOT', '452 4.3.1'],
  ] as const) {
    test(`${code} at "${step}": ${answer}, and nothing stays behind`, async (t) => {
      const box = await existingBox(t)
      const { sent } = await send(t, box, [you], watched([], { step, code }))
      assert.deepEqual(codesOf(sent), [answer])
      assert.deepEqual([await readdir(join(box, 'tmp')), await readdir(join(box, 'new'))], [[], []])
    })
  }
}

test('a box that cannot be looked at is deferred, not refused', async (t) => {
  const files: MaildirFiles = {
    ...systemFiles,
    enter: async () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
    },
  }
  const { codes } = await send(t, `${await folder(t)}/{local}`, [you], files)
  assert.deepEqual(codes, [451])
})

test('a disk that hangs: the sender hears it in time, and what comes through later is taken away', async (t) => {
  const box = await existingBox(t)
  let goOn: () => void = () => {}
  const hangs = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const log: string[] = []
  const real = watched(log)
  const files: MaildirFiles = { ...real, rename: (from, to) => hangs.then(() => real.rename(from, to)) }
  const { delivery: out } = delivery(t, {}, { files })
  const transaction = await begin(out, maildir(box), job())
  await transaction.askRecipients([you], stepLimits())
  const sent = await transaction.data(message('x\r\n'), stepLimits(100))
  assert.equal(sent.kind === 'lost' && sent.fault.kind, 'abandoned')
  goOn()
  while (!log.includes('remove')) await new Promise((resolve) => setImmediate(resolve))
  while ((await readdir(join(box, 'new'))).length > 0) await new Promise((resolve) => setImmediate(resolve))
})
