/** `bin/waypost` in a package that is installed in a project: which Node it takes, and what it says where there is none that it can run on. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, realpath, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder } from '../../test/config-folder.ts'

const script = fileURLToPath(new URL('../../bin/waypost', import.meta.url))

/** Nodes that say a version, and otherwise which of them runs. */
const nodeOf = (version: string) => `#!/bin/sh\n[ "$1" = --version ] && echo ${version} || echo "runs on ${version}"\n`

async function project(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const root = await realpath(await folder(t, { 'path/node': nodeOf('v20.1.0'), ...more }))
  const installed = join(root, 'node_modules/waypost')
  await mkdir(join(installed, 'bin'), { recursive: true })
  await copyFile(script, join(installed, 'bin/waypost'))
  await mkdir(join(root, 'node_modules/.bin'), { recursive: true })
  await symlink('../waypost/bin/waypost', join(root, 'node_modules/.bin/waypost'))
  return root
}

async function run(root: string) {
  spawnSync('chmod', ['+x', join(root, 'path/node'), join(root, 'node_modules/.bin/node')])
  const env = { PATH: `${join(root, 'path')}:/usr/bin:/bin` }
  const { status, stdout, stderr } = spawnSync('/bin/sh', [join(root, 'node_modules/.bin/waypost')], { env })
  return { code: status, out: `${stdout}`, err: `${stderr}` }
}

test('the Node beside the package is taken, whatever PATH has', async (t) => {
  const root = await project(t, { 'node_modules/.bin/node': nodeOf('v24.2.0') })
  assert.deepEqual(await run(root), { code: 0, out: 'runs on v24.2.0\n', err: '' })
})

test('an old Node is told with the way to one that is right: in the project, where there is one', async (t) => {
  const root = await project(t, { 'package.json': '{}' })
  const { code, err } = await run(root)
  assert.equal(code, 2)
  assert.equal(
    err,
    `waypost: needs Node 24 or newer, and the "node" in PATH is v20.1.0; "npm install node@24" in ${root} installs one for Waypost alone\n`,
  )
  const global = await run(await project(t))
  assert.equal(global.err, 'waypost: needs Node 24 or newer, and the "node" in PATH is v20.1.0; install Node 24\n')
})
