/**
 * `waypost queue export`: held messages into a folder, `ID.eml` with the content and `ID.json` with everything else. With `--remove` they leave the hold:
 * each is held back first, written, and removed when its files are on the disk, so that it is never in neither place. A second run after a crash
 * goes on where the first ended.
 */
import { lstat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Command } from 'commander'
import { z } from 'zod'
import { writeWhole } from '../../base/atomic-file.ts'
import { systemClock } from '../../base/clock.ts'
import { errorCode, isMissing } from '../../base/error-code.ts'
import { makeFolder } from '../../base/make-folder.ts'
import { printable } from '../../base/printable.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import { type AskedFilter, catAnswer, listAnswer } from '../../gateway/operate/queue-shapes.ts'
import { runningConfigOption } from '../config-path.ts'
import { Misuse } from '../misuse.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { type QueueAccess, withQueue } from './access.ts'
import { type EnvelopeInFolder, readEnvelopeInFolder } from './envelope-in-folder.ts'
import { type FilterWords, filterOf, findIds, isEmptyFilter, mostIds, withFilters } from './options.ts'
import { counted } from './words.ts'

interface ExportOptions extends FilterWords {
  readonly config: string | undefined
  readonly remove: boolean | undefined
}

export function exportCommand(run: Run): Command {
  return withFilters(
    new Command('export')
      .summary('write held messages into a folder')
      .description(
        'Writes held messages into a folder, each as ID.eml with an ID.json beside it that "import" reads, here or on another machine. Without --remove they stay, and what is imported elsewhere is delivered twice.',
      )
      .argument('<folder>', 'made where it is missing, in a folder that is there')
      .argument('[ids...]', 'messages, or how their ids begin; or say which by the options; otherwise all')
      .addOption(runningConfigOption()),
  )
    .option('--remove', 'take them out of the hold, once they are on the disk')
    .addHelpText(
      'after',
      `
Exit code: 0 all were written, 1 some were left where they are, 2 it could not be done.

Examples:
  waypost queue export /mnt/usb/held
  waypost queue export /mnt/usb/held 01M84TXJDW
  waypost queue export /mnt/usb/held --domain example.com --remove`,
    )
    .action((folder: string, ids: string[], options: ExportOptions) =>
      run((terminal) => exportAll(resolve(folder), ids, options, terminal)),
    )
}

async function exportAll(
  folder: string,
  ids: readonly string[],
  options: ExportOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const said = filterOf(options, systemClock.now())
  const why = typeof said === 'string' ? said : whyNotThese(ids, said)
  if (typeof said === 'string' || why !== undefined) throw new Misuse(why ?? '')
  return await withQueue<ExitCode>(options.config, terminal, 2, async (access) => {
    const found = await findIds(ids, access, terminal)
    if (found.kind !== 'ids') return found.kind === 'not-one' ? 1 : 2
    const filter = ids.length > 0 ? { ids: [...found.ids] } : said
    try {
      const parent = dirname(folder)
      if (!(await exists(parent))) {
        terminal.err(
          `waypost: there is no ${printable(parent)} to make the folder in. Is the path right? If it is, make that first: mkdir -p ${printable(parent)}\n`,
        )
        return 2
      }
      await makeFolder(folder)
      return await new Export(folder, filter, options.remove === true, access, terminal).run()
    } catch (error) {
      const code = errorCode(error)
      if (code === undefined) throw error
      const isFile = code === 'EEXIST' || code === 'ENOTDIR'
      const why = isFile ? notAFolder : `cannot be written (${printable(code)})`
      terminal.err(`waypost: ${printable(folder)} ${why}\n`)
      return 2
    }
  })
}

function whyNotThese(ids: readonly string[], filter: AskedFilter): string | undefined {
  if (ids.length > 0 && !isEmptyFilter(filter)) return 'say which in one way: ids, or a filter'
  return ids.length > mostIds ? `at most ${mostIds} ids at once` : undefined
}

export const notAFolder = 'is no folder, or a file stands in its way'

const page = 50
const atOnce = 8

const packed = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('packed'),
    envelope: z.looseObject({ recipients: z.array(z.looseObject({ index: z.number() })) }),
  }),
  z.object({ kind: z.literal('gone') }),
  z.object({ kind: z.literal('left'), why: z.string() }),
])
const part = z.union([
  catAnswer,
  z.object({ kind: z.literal('gone') }),
  z.object({ kind: z.literal('corrupt'), why: z.string() }),
])

/** A message whose files are written; recipients to be removed. */
interface Exported {
  readonly id: string
  readonly indexes: readonly number[]
}

class Export {
  readonly #folder: string
  readonly #filter: AskedFilter
  readonly #isRemoving: boolean
  readonly #access: QueueAccess
  readonly #terminal: Terminal
  #done = 0
  #left = 0

  constructor(folder: string, filter: AskedFilter, isRemoving: boolean, access: QueueAccess, terminal: Terminal) {
    this.#folder = folder
    this.#filter = filter
    this.#isRemoving = isRemoving
    this.#access = access
    this.#terminal = terminal
  }

  async run(): Promise<ExitCode> {
    for (let after: string | null = ''; after !== null; ) {
      const given: Record<string, unknown> = { filter: this.#filter, limit: page, ...(after === '' ? {} : { after }) }
      const found: z.output<typeof listAnswer> | undefined = await this.#access.ask('queue.list', given, listAnswer)
      if (!found) return 2
      const ids = found.messages.map(({ id }) => id)
      const files: Exported[] = []
      while (ids.length > 0) {
        const some = await Promise.all(ids.splice(0, atOnce).map((id) => this.#write(id)))
        if (some.includes('could-not')) return 2
        for (const each of some) if (each !== undefined && each !== 'could-not') files.push(each)
      }
      // Their names are on the disk only with the folder.
      await syncFolder(this.#folder)
      if (this.#isRemoving && !(await this.#remove(files))) return 2
      this.#done += files.length
      after = found.next
    }
    const where = `${this.#isRemoving ? 'moved to' : 'copied to'} ${printable(this.#folder)}`
    this.#terminal.out(`${counted(this.#done, 'message')} ${where}.\n`)
    if (!this.#isRemoving && this.#done > 0)
      this.#terminal.err(
        'They stay here too, and what is imported elsewhere is delivered twice; with --remove they leave the hold.\n',
      )
    return this.#left > 0 ? 1 : 0
  }

  async #remove(files: readonly Exported[]): Promise<boolean> {
    for (const { id, indexes } of files) {
      if ((await this.#access.ask('queue.drop', { id, indexes }, z.null())) === undefined) return false
    }
    return true
  }

  /** @returns undefined where it stays, which has been said, or has gone meanwhile */
  async #write(id: string): Promise<Exported | 'could-not' | undefined> {
    if (!/^[0-9A-Z]{26}$/.test(id)) return this.#leave(id, 'its id is none')
    const found = await this.#before(id)
    if (found.kind === 'importing') return this.#leave(id, 'an import of it from this folder is not finished')
    if (found.kind === 'irregular') return this.#leave(id, `${id}.json in this folder is no envelope of an export`)
    const before = found.kind === 'envelope' ? found.envelope : undefined
    if (before?.isTaken && !this.#isRemoving)
      return this.#leave(id, 'recipients of it were moved to this folder before')
    const asked = this.#isRemoving ? { id, filter: this.#filter } : { id }
    const pack = await this.#access.ask(this.#isRemoving ? 'queue.take' : 'queue.pack', asked, packed)
    if (!pack) return 'could-not'
    if (pack.kind === 'gone') return undefined
    if (pack.kind === 'left') return this.#leave(id, pack.why)
    const { envelope } = pack
    const content = await this.#writeContent(id)
    if (content !== 'written') return content === 'could-not' ? content : this.#leave(id, content.why)
    // What a run before this one took out is nowhere else.
    const kept = before?.isTaken ? before.recipients : []
    const places = new Set(kept.map(({ index }) => index))
    const recipients = [...kept, ...envelope.recipients.filter(({ index }) => !places.has(index))]
    await writeWhole(join(this.#folder, `${id}.json`), (file) =>
      file.writeFile(`${JSON.stringify({ ...envelope, recipients }, null, 2)}\n`),
    )
    return { id, indexes: envelope.recipients.map(({ index }) => index) }
  }

  #leave(id: string, why: string): undefined {
    this.#left++
    this.#terminal.err(`${printable(id)} stays where it is: ${printable(why)}\n`)
    return undefined
  }

  /** What stands in the folder of this message. */
  async #before(id: string): Promise<EnvelopeInFolder | { readonly kind: 'importing' }> {
    for (const suffix of ['importing', 'held'])
      if (await exists(join(this.#folder, `${id}.json.${suffix}`))) return { kind: 'importing' }
    return await readEnvelopeInFolder(join(this.#folder, `${id}.json`))
  }

  async #writeContent(id: string): Promise<'written' | 'could-not' | { readonly why: string }> {
    let outcome: 'written' | 'could-not' | { readonly why: string } = 'written'
    await writeWhole(join(this.#folder, `${id}.eml`), async (file) => {
      for (let offset: number | null = 0; offset !== null; ) {
        const found: z.output<typeof part> | undefined = await this.#access.ask('queue.cat', { id, offset }, part)
        if (!found || 'kind' in found) {
          outcome = !found ? 'could-not' : { why: found.kind === 'gone' ? 'it is gone' : `it is damaged: ${found.why}` }
          return false
        }
        await file.writeFile(Buffer.from(found.content, 'base64'))
        offset = found.next
      }
      return true
    })
    return outcome
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
