import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderBefore, whyNoMaildir } from './why-no-maildir.ts'

test('the folder that must be there, and what to do where it is not', () => {
  assert.deepEqual(['/mail/box', '/mail/{local}', '/mail/{local}/Maildir', '/{local}', '/box'].map(folderBefore), [
    '/mail',
    '/mail',
    '/mail',
    '/',
    '/',
  ])
  assert.equal(
    whyNoMaildir('/mail/box', 'ENOENT'),
    'the folder /mail is missing, and only "box" in it is made by itself: make it',
  )
  assert.match(
    whyNoMaildir('/mail/{local}', 'ENOENT') ?? '',
    /^the folder \/mail is missing: make it, and a folder in it/,
  )
  assert.match(whyNoMaildir('/mail/box', 'ENOTDIR') ?? '', /^\/mail\/box, or what leads to it, is no folder/)
  assert.match(whyNoMaildir('/mail/box', 'EROFS') ?? '', /^\/mail\/box lies on a file system that is mounted read-only/)
  assert.equal(whyNoMaildir('/mail/box', 'ENOSPC'), undefined)
})
