import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { doubtLogFile } from './doubt-log-file.ts'

test('of a place that is mounted read-only it is said that no owner changes it', async () => {
  const doubt = await doubtLogFile('/etc/waypost/mail.log', async (place) =>
    place === '/etc/waypost' ? 'EROFS' : 'ENOENT',
  )
  assert.equal(doubt?.kind, 'for-everybody')
  assert.match(doubt.why, /^the log file \/etc\/waypost\/mail\.log cannot be written: \/etc\/waypost is read-only/)
  assert.match(doubt.why, /such as \/var\/log\/waypost\/mail\.log.* ReadWritePaths=\/etc\/waypost in its unit/)
})

test('a log file that serve could not write is doubted with what to do; what serve makes is none', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'there'), '')
  const why = async (path: string) => {
    const doubt = await doubtLogFile(path)
    assert.notEqual(doubt?.kind, 'for-this-user')
    return doubt?.why
  }
  assert.equal(await why(join(folder, 'there')), undefined)
  assert.equal(await why(join(folder, 'mail.log')), undefined)
  assert.equal(await why(join(folder, 'logs/mail.log')), undefined)
  assert.equal(
    await why(`${folder}/a/b/mail.log`),
    `the log file ${folder}/a/b/mail.log cannot be made: there is no folder ${folder}/a/b, and none to make it in. Make it (mkdir -p ${folder}/a/b), or name another with "log: { file: … }"`,
  )
  assert.match((await why(folder)) ?? '', /is a folder: name another/)
  assert.match((await why(join(folder, 'there/mail.log'))) ?? '', /lies below something that is not a folder/)
  if (process.platform === 'linux') assert.match((await why('/proc/mail.log')) ?? '', /\/proc keeps no files/)
})
