/** Makes `dist/` for the package: what `tsc` writes of `src/`, and nothing that was left of an earlier build. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const target = process.argv[2] ?? join(root, 'dist')

rmSync(target, { recursive: true, force: true })
const tsc = join(root, 'node_modules/.bin/tsc')
const { status, error } = spawnSync(tsc, ['-p', join(root, 'tsconfig.build.json'), '--outDir', target], {
  stdio: 'inherit',
})
if (error) throw error
process.exitCode = status ?? 1
