/**
 * Writes docs/configuration.md and docs/waypost.schema.json from the options, docs/check.schema.json from the schema of reports, docs/providers.md
 * from the catalogue: `npm run docs`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publishedReportSchema } from '../src/checks/report/document.ts'
import { documentConfiguration } from '../src/config/document.ts'
import { publishedSchema } from '../src/config/schema.ts'
import { documentProviders } from '../src/records/catalogue/document.ts'

const docs = join(dirname(fileURLToPath(import.meta.url)), '../docs')
mkdirSync(docs, { recursive: true })
writeFileSync(join(docs, 'configuration.md'), documentConfiguration())
writeFileSync(join(docs, 'waypost.schema.json'), `${JSON.stringify(publishedSchema(), null, 2)}\n`)
writeFileSync(join(docs, 'providers.md'), documentProviders())
writeFileSync(join(docs, 'check.schema.json'), `${JSON.stringify(publishedReportSchema(), null, 2)}\n`)
