/**
 * What `npm pack` makes, in an empty project: its command and its library work there, without a build and without the network. Its
 * dependencies are linked from the checkout; everything else comes from the tarball.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { until } from '../lab/until.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const nodeFolder = dirname(process.execPath)

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function run(
  command: string,
  words: readonly string[],
  cwd: string,
  path = `${nodeFolder}${delimiter}${process.env.PATH}`,
): Promise<Ran> {
  const env = { ...process.env, PATH: path, npm_config_update_notifier: 'false', npm_config_offline: 'true' }
  return new Promise((done) => {
    execFile(command, words, { cwd, env, maxBuffer: 16 * 1024 * 1024 }, (error, out, err) => {
      done({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

/** A project whose only dependency is the tarball. */
async function emptyProject(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'waypost-package-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', root], checkout)
  assert.equal(packed.code, 0, packed.err)
  const tarball = (await readdir(root)).find((name) => name.endsWith('.tgz')) ?? assert.fail('no tarball')

  const modules = join(root, 'project/node_modules')
  await mkdir(join(modules, '.bin'), { recursive: true })
  await mkdir(join(modules, 'waypost'))
  const unpacked = await run(
    'tar',
    ['-xzf', join(root, tarball), '-C', join(modules, 'waypost'), '--strip-components=1'],
    root,
  )
  assert.equal(unpacked.code, 0, unpacked.err)
  const { dependencies } = JSON.parse(await readFile(join(modules, 'waypost/package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    // `@scope/name` lies in a folder of the scope.
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(join(checkout, 'node_modules', name), join(modules, name))
  }
  await symlink('../waypost/bin/waypost', join(modules, '.bin/waypost'))
  return join(root, 'project')
}

/** Those of PATH that are older than the package wants. */
async function oldNodes(cwd: string): Promise<readonly string[]> {
  const found = await run('/bin/sh', ['-c', 'which -a node'], cwd, process.env.PATH ?? '')
  const paths = [...new Set(found.out.split('\n').filter((path) => path !== ''))]
  const versions = await Promise.all(paths.map((path) => run(path, ['--version'], cwd)))
  return paths.filter((_, index) => Number.parseInt(versions[index]?.out.slice(1) ?? '', 10) < 24)
}

test('the package in an empty project: command and library work', { timeout: 300_000 }, async (t) => {
  const project = await emptyProject(t)
  const waypost = join(project, 'node_modules/.bin/waypost')
  const shipped = await readdir(join(project, 'node_modules/waypost'))
  assert.deepEqual(
    shipped.filter((name) => ['src', 'test', 'scripts', 'bench', 'data'].includes(name)),
    [],
  )

  await t.test('the command, by its link and from another folder', async () => {
    const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'))
    assert.deepEqual(await run(waypost, ['--version'], '/'), { code: 0, out: `${version}\n`, err: '' })
    await writeFile(join(project, 'waypost.yaml'), 'domains: { example.org: { deliver: mx } }\n')
    const checked = await run(waypost, ['config', 'check'], project)
    assert.equal(checked.code, 0, checked.err)
    assert.match(checked.out, /^In order\./)
    await writeFile(join(project, 'waypost.yaml'), 'domains: { example.org: { delivr: mx } }\n')
    const wrong = await run(waypost, ['config', 'check'], project)
    assert.equal(wrong.code, 1)
    assert.match(wrong.out, /waypost\.yaml:1:27: unknown key "delivr"/)
  })

  await t.test('without a configuration it says what makes one, and nothing of a checkout', async () => {
    const none = await run(waypost, ['queue', 'list'], '/')
    assert.deepEqual([none.code, none.out], [2, ''])
    assert.match(none.err, /name a configuration with -c FILE \("waypost init example\.com" writes a first one\)\n$/)
    for (const words of [['--help'], ['serve', '--help'], ['queue', 'list', '--help']]) {
      const help = await run(waypost, words, project)
      assert.equal(help.code, 0)
      assert.doesNotMatch(help.out, /examples\//)
    }
  })

  await t.test('the pages of the checks come along', async () => {
    const explained = await run(waypost, ['check', '--explain', 'ns-silent'], '/')
    assert.deepEqual([explained.code, explained.err], [0, ''])
    assert.match(explained.out, /^ns-silent\n\n.*RFC 8906/s)
  })

  await t.test('a rule by itself, asked about facts', async () => {
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await writeFile(
      join(project, 'rule.js'),
      `import { nsSilent } from 'waypost/checks/rules/name-servers/ns-silent'
import { runRules } from 'waypost'
console.log(nsSilent.id, runRules([nsSilent], { mx: { kind: 'no-such-name' }, zones: [] }, {}).length)
`,
    )
    assert.deepEqual(await run(process.execPath, ['rule.js'], project), { code: 0, out: 'ns-silent 0\n', err: '' })
  })

  await t.test('the library, with its types', async () => {
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await writeFile(
      join(project, 'main.js'),
      `import { loadConfig, systemClock } from 'waypost'
import { readInBackground } from './node_modules/waypost/dist/config/background.js'
import { providers } from './node_modules/waypost/dist/records/catalogue/catalogue.js'
const loaded = await loadConfig('good.yaml', { clock: systemClock, machineName: 'box', read: readInBackground })
console.log(loaded.kind, loaded.settings.destinations.domains.length, providers().find(({ id }) => id === 'fastmail').name)
`,
    )
    await writeFile(join(project, 'good.yaml'), 'domains: { a.example: { deliver: mx }, b.example: { deliver: mx } }\n')
    assert.deepEqual(await run(process.execPath, ['main.js'], project), {
      code: 0,
      out: 'loaded 2 Fastmail\n',
      err: '',
    })

    await writeFile(
      join(project, 'main.ts'),
      "import { loadConfig } from 'waypost'\nconst wrong: number = loadConfig\n",
    )
    // Its types speak of those of Node, which who writes JavaScript need not have.
    const manifest = JSON.parse(await readFile(join(project, 'node_modules/waypost/package.json'), 'utf8'))
    assert.deepEqual(
      [manifest.peerDependencies, manifest.peerDependenciesMeta],
      [{ '@types/node': '>=24' }, { '@types/node': { optional: true } }],
    )
    const tsc = join(checkout, 'node_modules/.bin/tsc')
    const words = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--types',
      'node',
    ]
    const typed = await run(tsc, [...words, '--typeRoots', join(checkout, 'node_modules/@types'), 'main.ts'], project)
    assert.match(typed.out, /^main\.ts\(2,7\): error TS2322: [^\n]*Promise<LoadedConfig>/)
    assert.equal(typed.out.match(/error TS/g)?.length, 1, typed.out)
  })

  await t.test('the example of the README', async () => {
    const readme = await readFile(join(checkout, 'README.md'), 'utf8')
    const [, example = ''] = /## As a library[\s\S]*?```js\n([\s\S]*?)```/.exec(readme) ?? []
    // Where nobody answers, so that no test asks the world.
    const asksNobody = example.replace('servers: []', "servers: ['127.0.0.1:1']")
    assert.notEqual(asksNobody, example)
    await writeFile(join(project, 'example.js'), asksNobody)
    const ran = await run(process.execPath, ['example.js'], project)
    assert.deepEqual(ran, { code: 0, out: 'temporary-failure\n', err: '' })
  })

  await t.test('the dashboard: its page, its one script, its styles and the charts', async (t) => {
    const config = {
      ...{ hostname: 'mx.example.org', state: join(project, 'state') },
      listen: { smtp: ['127.0.0.1:0'], http: '127.0.0.1:0' },
      domains: { 'example.org': { deliver: 'smtp://127.0.0.1:9' } },
    }
    await writeFile(join(project, 'serve.yaml'), JSON.stringify(config))
    const path = `${nodeFolder}${delimiter}${process.env.PATH}`
    const words = ['serve', '-c', join(project, 'serve.yaml')]
    const child = spawn(waypost, words, { env: { ...process.env, PATH: path }, stdio: ['ignore', 'pipe', 'ignore'] })
    const exited = new Promise((done) => void child.once('close', done))
    t.after(async () => {
      child.kill('SIGKILL')
      await exited
    })
    let said = ''
    child.stdout.on('data', (text) => {
      said += String(text)
    })
    await until(() => /Dashboard: \S+ /.test(said), 60_000, 'the dashboard')
    const origin = /Dashboard: (\S+)\/ /.exec(said)?.[1] ?? ''
    const get = async (path: string) => {
      const response = await fetch(origin + path)
      assert.equal(response.status, 200, path)
      return await response.text()
    }
    const page = await get('/')
    const [, script = ''] = /<script>([\s\S]+?)<\/script>/.exec(page) ?? []
    assert.match(script, /'overview-page': \(\) => \{/)
    assert.ok(new Script(script))
    assert.match(await get('/enter'), /<style>[\s\S]{1000}[\s\S]*<script>\(async/)
    for (const path of ['/assets/queue-page.js', '/assets/uplot.js', '/assets/uplot.css', '/assets/icon.svg'])
      assert.ok((await get(path)).length > 100, path)
  })

  await t.test('a Node that is too old, or none, gets one clear line', async () => {
    const old = join(project, 'old')
    await mkdir(old)
    await writeFile(join(old, 'node'), '#!/bin/sh\necho v20.19.2\n')
    await chmod(join(old, 'node'), 0o755)
    for (const tool of ['sh', 'readlink', 'dirname']) {
      const found = await run('/bin/sh', ['-c', `command -v ${tool}`], project)
      await symlink(found.out.trim(), join(old, tool))
    }
    const beside = `"npm install node@24" in ${await realpath(project)} installs one for Waypost alone`
    const said = await run(waypost, ['--version'], project, old)
    assert.deepEqual(said, {
      code: 2,
      out: '',
      err: `waypost: needs Node 24 or newer, and the "node" in PATH is v20.19.2; ${beside}\n`,
    })
    // The library cannot choose its Node. A real one that is too old is asked where there is one.
    const pretend = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.19.2' })`
    const nodes = [[process.execPath, '--import', pretend], ...(await oldNodes(project)).map((node) => [node])]
    await writeFile(join(project, 'main.cjs'), "require('waypost')")
    await writeFile(join(project, 'import.js'), "import 'waypost'")
    for (const [node = '', ...flags] of nodes)
      for (const script of ['import.js', 'main.cjs']) {
        const { code, err } = await run(node, [...flags, script], project)
        assert.equal(code, 1, err)
        assert.match(err, /^Error: waypost: needs Node 24 or newer, and this is v\d+\.\d+\.\d+$/m)
        assert.doesNotMatch(err, /SyntaxError/)
      }
    await rm(join(old, 'node'))
    const none = await run(waypost, ['--version'], project, old)
    assert.deepEqual(none, {
      code: 2,
      out: '',
      err: `waypost: needs Node 24 or newer, and there is no "node" in PATH; ${beside}\n`,
    })
  })
})

test('bin/waypost of a checkout works from any folder and by a link', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-link-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(checkout, 'bin/waypost'), join(folder, 'first'))
  await symlink('first', join(folder, 'second'))
  for (const command of [join(checkout, 'bin/waypost'), join(folder, 'second')]) {
    const { code, out } = await run(command, ['--version'], '/')
    assert.deepEqual([code, /^\d+\.\d+\.\d+\n$/.test(out)], [0, true])
  }
})

test('who ends `npm start` ends the gateway, and leaves none behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'waypost-npm-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { scripts } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'))
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, scripts: { start: scripts.start } }))
  // What stands in for the gateway says who it is, and that it was told to end.
  await mkdir(join(folder, 'bin'))
  const standIn = `#!${process.execPath}\nprocess.once('SIGTERM', () => {\n  console.log('told')\n  process.exit()\n})\nconsole.log('pid', process.pid)\nsetInterval(() => {}, 1000)\n`
  await writeFile(join(folder, 'bin/waypost'), standIn, { mode: 0o755 })
  const npm = spawn('npm', ['start'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  npm.stdout.on('data', (text) => {
    said += String(text)
  })
  const pid = () => Number(/^pid (\d+)$/m.exec(said)?.[1])
  await until(() => pid() > 0, 60_000, 'the gateway')
  t.after(() => {
    try {
      process.kill(pid(), 'SIGKILL')
    } catch {
      // It has ended, as it should.
    }
  })
  npm.kill('SIGTERM')
  await until(() => /^told$/m.test(said), 60_000, 'the end of the gateway')
})
