/**
 * Command lines of any octets, from a kept corpus and from mutations of it: no exception, no octet beyond printable ASCII passes, what
 * is read is canonical, and it takes no time.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseMailbox } from '../../src/mail/address.ts'
import { readEnvelopeId, readOriginalRecipient } from '../../src/mail/dsn-request.ts'
import { encodeReply } from '../../src/mail/reply.ts'
import { type Command, parseCommand } from '../../src/smtp/wire/command.ts'
import { fuzzRandom, fuzzRounds } from './chance.ts'
import { watched } from './watchdog.ts'

/** One line a case, as JSON strings. */
const corpus = readFileSync(new URL('./corpus/smtp-command/lines.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as string)

function examine(line: string): void {
  watched('command', line, () => {
    examineCommand(line, parseCommand(line, false))
    examineCommand(line, parseCommand(line, true))
  })
}

function examineCommand(line: string, command: Command): void {
  if (command.kind === 'invalid') {
    assert.match(encodeReply(command.reply), /^5\d\d (5\.\d\.\d )?[\x20-\x7e]+\r\n$/, JSON.stringify(line))
    return
  }
  assert.match(line, /^[\x20-\x7e]*$/)
  if (command.kind === 'mail' && command.envid !== undefined)
    assert.match(readEnvelopeId(command.envid), /^[\x20-\x7e]{1,100}$/)
  if (command.kind === 'rcpt' && command.recipient.originalRecipient !== undefined)
    assert.match(readOriginalRecipient(command.recipient.originalRecipient).address, /^[\x20-\x7e]{0,500}$/)
  const mailbox = command.kind === 'mail' ? command.sender : command.kind === 'rcpt' ? command.recipient : null
  if (mailbox === null || (mailbox.domain === undefined && mailbox.literal === undefined)) return
  const { localPart, domain, literal, text } = mailbox
  assert.deepEqual(parseMailbox(text), { kind: 'mailbox', mailbox: { localPart, domain, literal, text } })
}

test('the corpus', () => {
  for (const line of corpus) examine(line)
})

test('20,000 mutations of it', () => {
  const random = fuzzRandom(7)
  const pick = (most: number) => Math.floor(random.number() * most)
  const mutate = (line: string): string => {
    const at = pick(line.length + 1)
    const octet = String.fromCharCode(pick(256))
    switch (pick(5)) {
      case 0:
        return line.slice(0, at) + octet + line.slice(at)
      case 1:
        return line.slice(0, at) + line.slice(at + 1 + pick(4))
      case 2:
        return line.slice(0, at) + (corpus[pick(corpus.length)] ?? '').slice(pick(20))
      case 3:
        return line.slice(0, at) + line.slice(at, at + 8).repeat(pick(40)) + line.slice(at)
      default:
        return line.slice(0, at) + '<>@:,"\\.[] ='.charAt(pick(12)) + line.slice(at + 1)
    }
  }
  const began = performance.now()
  for (let round = 0; round < fuzzRounds(20_000); round++) {
    let line = corpus[pick(corpus.length)] ?? ''
    for (let count = pick(4); count >= 0; count--) line = mutate(line)
    examine(line.slice(0, 2048))
  }
  assert.ok(performance.now() - began < fuzzRounds(120_000))
})
