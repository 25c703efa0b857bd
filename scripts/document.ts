/** Writes docs/configuration.md from the options: `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { documentConfiguration } from '../src/config/document.ts'

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs')
mkdirSync(docs, { recursive: true })
writeFileSync(join(docs, 'configuration.md'), documentConfiguration())
