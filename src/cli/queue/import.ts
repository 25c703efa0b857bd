/**
 * `waypost queue import`: messages of a folder, as `export` wrote them, back into a hold. How far a message has come stands in the name of its envelope,
 * so that a second run after a crash goes on, and never takes in what was taken in and delivered before:
 *
 *   ID.json → ID.json.importing → (in the hold, held back) → ID.json.held → (on its way) → ID.json.imported
 */
import { readdir, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { z } from 'zod'
import { writeWhole } from '../../base/atomic-file.ts'
import { errorCode } from '../../base/error-code.ts'
import { printable } from '../../base/printable.ts'
import { syncFolder } from '../../base/sync-folder.ts'
import { runningConfigOption } from '../config-path.ts'
import type { ExitCode, Run, Terminal } from '../terminal.ts'
import { type QueueAccess, withQueue } from './access.ts'
import { readEnvelopeInFolder } from './envelope-in-folder.ts'
import { notAFolder } from './export.ts'
import { counted } from './words.ts'

interface ImportOptions {
  readonly config: string | undefined
  readonly ownMail?: boolean
}

export function importCommand(run: Run): Command {
  return new Command('import')
    .summary('take exported messages in again')
    .description(
      'Takes the messages of a folder in that "export" wrote, with their envelopes and the time that they have left. What was taken in is marked in the folder, and is not taken in again. A running gateway reads the folder itself, as its own user.',
    )
    .argument('<folder>', 'as "export" wrote it')
    .addOption(runningConfigOption())
    .option(
      '--own-mail',
      'also notices of our own to domains that are not declared here; whoever wrote the folder could have any mail without a sender sent so',
    )
    .addHelpText(
      'after',
      `
Exit code: 0 all were taken in, 1 some were not, 2 it could not be done.

Example:
  waypost queue import /mnt/usb/held`,
    )
    .action((folder: string, options: ImportOptions) =>
      run((terminal) => importAll(resolve(folder), options, terminal)),
    )
}

async function importAll(folder: string, options: ImportOptions, terminal: Terminal): Promise<ExitCode> {
  return await withQueue<ExitCode>(options.config, terminal, 2, async (access) => {
    try {
      return await new Import(folder, options.ownMail === true, access, terminal).run()
    } catch (error) {
      const code = errorCode(error)
      if (code === undefined) throw error
      terminal.err(`waypost: ${printable(folder)} ${whyNot(code)}\n`)
      return 2
    }
  })
}

function whyNot(code: string): string {
  if (code === 'ENOENT') return 'is not there'
  return code === 'ENOTDIR' ? notAFolder : `cannot be read and written (${printable(code)})`
}

const page = 50
const begun = ['', '.importing', '.held'] as const
type Step = (typeof begun)[number]

interface Item {
  readonly id: string
  step: Step | '.imported'
}

const compared = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('compared'), missing: z.array(z.number()), there: z.array(z.number()) }),
  z.object({ kind: z.literal('wrong'), why: z.string() }),
])
const broughtIn = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('held') }),
  z.object({ kind: z.literal('there') }),
  z.object({ kind: z.literal('wrong'), why: z.string() }),
  z.object({ kind: z.literal('full'), why: z.string() }),
])
const letGo = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done'), undeclared: z.array(z.string()).default([]) }),
  z.object({ kind: z.literal('wrong'), why: z.string() }),
])

class Import {
  readonly #folder: string
  readonly #takesOwnMail: boolean
  readonly #access: QueueAccess
  readonly #terminal: Terminal
  #taken = 0
  #wereThere = 0
  /** Recipients that were, of messages of which others were taken in. */
  #recipientsThere = 0
  #left = 0
  #isFull = false

  constructor(folder: string, takesOwnMail: boolean, access: QueueAccess, terminal: Terminal) {
    this.#folder = folder
    this.#takesOwnMail = takesOwnMail
    this.#access = access
    this.#terminal = terminal
  }

  async run(): Promise<ExitCode> {
    const names = await readdir(this.#folder)
    const items = itemsOf(names)
    if (items.length === 0 && !names.some((name) => name.endsWith('.json.imported'))) {
      this.#terminal.err(`waypost: there is no exported message in ${printable(this.#folder)}\n`)
      return 2
    }
    while (items.length > 0 && !this.#isFull) {
      const some = items.splice(0, page)
      for (const step of [this.#begin, this.#bringIn, this.#letGo]) {
        for (const item of some) if (!(await step.call(this, item))) return 2
        // Each step is on the disk before the next one is done.
        await syncFolder(this.#folder)
      }
    }
    const there = this.#wereThere > 0 ? `, ${this.#wereThere.toLocaleString('en')} were held already` : ''
    const left =
      this.#recipientsThere > 0 ? `, without ${counted(this.#recipientsThere, 'recipient')} held already` : ''
    this.#terminal.out(`${counted(this.#taken, 'message')} taken in${left}${there}.\n`)
    if (items.length > 0) this.#terminal.err(`${counted(items.length, 'more')} in the folder were not looked at.\n`)
    return this.#left > 0 || items.length > 0 ? 1 : 0
  }

  /** @returns false where nobody can be asked any more, as the two below */
  async #begin(item: Item): Promise<boolean> {
    if (item.step !== '') return true
    const found = await this.#access.ask('queue.compare', this.#named(item), compared)
    if (!found) return false
    if (found.kind === 'wrong') this.#leave(item, found.why)
    else if (found.missing.length > 0) {
      if (found.there.length === 0 || (await this.#leaveOut(item, new Set(found.there))))
        await this.#move(item, '.importing')
      else this.#leave(item, 'its envelope has changed while it was read')
    } else {
      this.#wereThere++
      await this.#move(item, '.imported')
    }
    return true
  }

  #leave({ id }: Item, why: string): void {
    this.#left++
    this.#terminal.err(`${id} was not taken in: ${printable(why)}\n`)
  }

  /** Recipients that the hold has already are its own: what becomes of them is not for this import to say. @returns whether it could be done */
  async #leaveOut({ id, step }: Item, there: ReadonlySet<number>): Promise<boolean> {
    const path = join(this.#folder, `${id}.json${step}`)
    const found = await readEnvelopeInFolder(path)
    if (found.kind !== 'envelope') return false
    const { envelope } = found
    const { true: heldAlready = [], false: recipients = [] } = Object.groupBy(envelope.recipients, ({ index }) =>
      there.has(index) ? 'true' : 'false',
    )
    await writeWhole(path, (file) =>
      file.writeFile(`${JSON.stringify({ ...envelope, recipients, heldAlready }, null, 2)}\n`),
    )
    this.#recipientsThere += heldAlready.length
    return true
  }

  async #bringIn(item: Item): Promise<boolean> {
    if (item.step !== '.importing') return true
    if (this.#isFull) {
      await this.#move(item, '')
      return true
    }
    const answer = await this.#access.ask('queue.bringIn', this.#named(item), broughtIn)
    if (!answer) return false
    if (answer.kind === 'held' || answer.kind === 'there') {
      await this.#move(item, '.held')
      return true
    }
    this.#isFull = answer.kind === 'full'
    this.#leave(item, answer.why)
    await this.#move(item, '')
    return true
  }

  async #letGo(item: Item): Promise<boolean> {
    if (item.step !== '.held') return true
    const answer = await this.#access.ask('queue.letGo', this.#named(item), letGo)
    if (!answer) return false
    if (answer.kind === 'wrong') {
      this.#left++
      this.#terminal.err(`${item.id} is held back: ${printable(answer.why)}\n`)
      return true
    }
    for (const chosen of answer.undeclared)
      this.#terminal.err(
        `${item.id} goes by the route of its domain: ${printable(chosen, 300)}, where a person had sent it, is not declared here.\n`,
      )
    this.#taken++
    await this.#move(item, '.imported')
    return true
  }

  #named({ id, step }: Item) {
    return { folder: this.#folder, id, envelopeFile: `${id}.json${step}`, takesOwnMail: this.#takesOwnMail }
  }

  async #move(item: Item, to: Item['step']): Promise<void> {
    const path = join(this.#folder, `${item.id}.json`)
    await rename(`${path}${item.step}`, `${path}${to}`)
    item.step = to
  }
}

/** In the order in which the messages came. Where a crash left two names of one message, the one that is further. */
function itemsOf(names: readonly string[]): Item[] {
  const items = new Map<string, Item>()
  for (const name of names.toSorted()) {
    const [, id = '', step = ''] = /^([0-9A-HJKMNP-TV-Z]{26})\.json(\.importing|\.held)?$/.exec(name) ?? []
    if (id === '') continue
    const known = items.get(id)
    if (!known || begun.indexOf(step as Step) > begun.indexOf(known.step as Step))
      items.set(id, { id, step: step as Step })
  }
  return [...items.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
