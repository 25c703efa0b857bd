/** A command that there is none of: what people who type the word mean. Called by `program.ts` for every command that has others below it. */
import type { Command } from 'commander'
import { nearest } from '../base/nearest.ts'

/** By the command above and the word: words of other programs, and of other places in this one. The nearest spelling can be the opposite. */
const otherWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  waypost: {
    reload: 'config reload',
    validate: 'config check',
    start: 'serve',
    run: 'serve',
    status: 'report',
    flush: 'queue retry',
    mailq: 'queue list',
    retry: 'queue retry',
    backends: 'backend list',
    dig: 'lookup',
  },
  queue: { delete: 'remove', del: 'remove', rm: 'remove', drop: 'remove', purge: 'remove', flush: 'retry', ls: 'list' },
  config: { validate: 'check', test: 'check', verify: 'check' },
  backend: { ls: 'list', drain: 'out', disable: 'out', enable: 'in' },
}

/** Refuses a word that is no command below `command`. */
export function refuseUnknownWord(command: Command, word: string): never {
  const meant = meantBy(command, word)
  const hint = meant === undefined ? '' : `\n(Did you mean ${meant}?)`
  command.error(`error: unknown command '${word}'${hint}`, { code: 'commander.unknownCommand' })
}

function meantBy(command: Command, word: string): string | undefined {
  const known = command.commands.map((each) => each.name())
  const words = otherWords[command.name()] ?? {}
  if (Object.hasOwn(words, word)) return words[word]
  const near = nearest(word, known)
  const [only] = known
  // "waypost import example.com": what stands there is meant for the one command that there is.
  return near ?? (known.length === 1 && only !== undefined ? `${command.name()} ${only} ${word}` : undefined)
}
