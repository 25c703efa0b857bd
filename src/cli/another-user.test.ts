import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { anotherUserText, runAsText } from './another-user.ts'

const passwd = 'root:x:0:0:root:/root:/bin/bash\nwaypost:x:998:997::/var/lib/waypost:/usr/sbin/nologin\n'

test('who may ask is named with the command that makes one of this user', () => {
  assert.equal(runAsText(998, passwd), 'another user (waypost): run this as that user, with "sudo -u waypost" in front')
  assert.equal(runAsText(4711, passwd), `another user (4711): run this as that user, with "sudo -u '#4711'" in front`)
})

test('it is the owner of the state folder; where that cannot be seen, it is somebody', async () => {
  const { uid } = await stat(tmpdir())
  assert.match(await anotherUserText(tmpdir()), new RegExp(`^another user \\((?:root|${uid})\\): .*"sudo -u `))
  assert.match(await anotherUserText(join(tmpdir(), 'nosuch')), /^another user: run this as that user, or as root$/)
})
