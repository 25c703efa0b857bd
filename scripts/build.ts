/**
 * Makes `dist/` for the package: what `tsc` writes of `src/`, the data files that stand beside the code, and nothing that was left of an earlier
 * build.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, rmSync } from 'node:fs'
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
