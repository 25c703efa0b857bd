/** The notes of `notes-tables.ts` as an earlier program knew them: the first version. */
import type { StoreModule } from '../../src/store/module.ts'
import { storeModule as current } from './notes-tables.ts'

export const storeModule: StoreModule = { ...current, migrations: current.migrations.slice(0, 1) }
