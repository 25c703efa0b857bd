/**
 * Makes `dist/` for the package: what `tsc` writes of `src/`, the data files that stand beside the code, the library's entry, and nothing
 * that was left of an earlier build.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = process.argv[2] ?? join(root, 'dist')

rmSync(target, { recursive: true, force: true })
const tsc = join(root, 'node_modules/.bin/tsc')
/** What runs here, and what runs in a browser. */
const projects = ['tsconfig.build.json', 'tsconfig.browser.json'] as const
for (const project of projects) {
  const { status, error } = spawnSync(tsc, ['-p', join(root, project), '--outDir', target], { stdio: 'inherit' })
  if (error) throw error
  if (status !== 0) process.exitCode = status ?? 1
}
for (const data of globSync(['**/*.yaml', 'web/browser/*.{css,svg}'], { cwd: join(root, 'src') })) {
  mkdirSync(dirname(join(target, data)), { recursive: true })
  cpSync(join(root, 'src', data), join(target, data))
}
writeFileSync(join(target, 'index.cjs'), entryText(Object.keys(await import('../src/index.ts'))))

/**
 * What the library's users import. A Node that is too old finds names missing in its own modules before it runs a line of ours, so it has to meet one
 * that it can read first. `exports.name = ` is how Node knows the names of such a module (cjs-module-lexer).
 */
function entryText(names: readonly string[]): string {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }
  const least = engines.node.replace('>=', '')
  return `'use strict'
if (Number.parseInt(process.versions.node, 10) < ${least})
  throw new Error('waypost: needs Node ${least} or newer, and this is v' + process.versions.node)
const library = require('./index.js')
${names.map((name) => `exports.${name} = library.${name}\n`).join('')}`
}
