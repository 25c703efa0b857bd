/** Writes docs/configuration.md and docs/waypost.schema.json from the options: `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { documentConfiguration } from '../src/config/document.ts'
import { publishedSchema } from '../src/config/schema.ts'

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs')
mkdirSync(docs, { recursive: true })
writeFileSync(join(docs, 'configuration.md'), documentConfiguration())
writeFileSync(join(docs, 'waypost.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`)
