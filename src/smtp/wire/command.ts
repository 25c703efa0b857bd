/**
 * One command line of a sender → what it asks for (RFC 5321 §4.1.1). Called by the server's session with what `line-reader.ts` found.
 * Syntax is judged here, order and limits in `smtp/server/commands.ts`. A line that holds anything but printable ASCII is never a command.
 */
import { type HostName, type Mailbox, parseMailbox, parsePath, type ReversePath } from '../../mail/address.ts'
import {
  type EnvelopeId,
  type Notify,
  type OriginalRecipient,
  parseEnvelopeId,
  parseNotify,
  parseOriginalRecipient,
  parseReturnContent,
  type ReturnContent,
} from '../../mail/dsn-request.ts'
import type { Recipient } from '../../mail/message.ts'
import { type Reply, reply } from '../../mail/reply.ts'

export type Command =
  | { readonly kind: 'ehlo' | 'helo'; readonly name: string }
  | {
      readonly kind: 'mail'
      readonly sender: ReversePath
      readonly body: '7BIT' | '8BITMIME' | undefined
      /** Octets (RFC 1870 §4); as large as the sender said, so perhaps not exact. */
      readonly size: number | undefined
      readonly ret: ReturnContent | undefined
      readonly envid: EnvelopeId | undefined
    }
  | { readonly kind: 'rcpt'; readonly recipient: Recipient }
  | { readonly kind: 'etrn'; readonly node: EtrnNode }
  /** What stands behind it, which nobody need read (RFC 5321 §4.1.1.9). */
  | { readonly kind: 'noop'; readonly text: string }
  | { readonly kind: 'data' | 'rset' | 'quit' | 'vrfy' | 'expn' | 'help' | 'starttls' }
  /** Its octets would be content, so nothing behind it may be read as a command (RFC 3030). Not offered. */
  | { readonly kind: 'bdat' }
  /** Another protocol's first line. */
  | { readonly kind: 'foreign' }
  /** Not to be done: what to answer. */
  | { readonly kind: 'invalid'; readonly reply: Reply }

/** What held mail is asked for (RFC 1985 §5): that of a domain, of a domain and all below it (`@`), or of a queue with a name (`#`). */
export type EtrnNode =
  | { readonly kind: 'domain' | 'subdomains'; readonly domain: HostName }
  | { readonly kind: 'queue'; readonly name: string }

/**
 * @param line  the octets as latin1 characters, without CRLF
 * @param isDsnOffered  whether EHLO offered DSN: where it did not, its parameters are unknown ones
 */
export function parseCommand(line: string, isDsnOffered: boolean): Command {
  if (notPrintable.test(line)) return refuseOctets(line)
  const verb = line.slice(0, 4)
  return known(verb, line, isDsnOffered) ?? known(verb.toUpperCase(), line, isDsnOffered) ?? unknown(line)
}

function known(verb: string, line: string, isDsnOffered: boolean): Command | undefined {
  switch (verb) {
    case 'RCPT':
      return hasWord(line, 4) ? parseRcpt(line, isDsnOffered) : undefined
    case 'MAIL':
      return hasWord(line, 4) ? parseMail(line, isDsnOffered) : undefined
    case 'DATA':
      return hasWord(line, 4) ? alone(line, dataCommand) : undefined
    case 'EHLO':
      return hasWord(line, 4) ? parseHello('ehlo', line) : undefined
    case 'HELO':
      return hasWord(line, 4) ? parseHello('helo', line) : undefined
    case 'QUIT':
      return hasWord(line, 4) ? alone(line, quitCommand) : undefined
    case 'RSET':
      return hasWord(line, 4) ? alone(line, rsetCommand) : undefined
    case 'NOOP':
      return hasWord(line, 4) ? { kind: 'noop', text: line.slice(4).trim() } : undefined
    case 'HELP':
      return hasWord(line, 4) ? helpCommand : undefined
    case 'VRFY':
      return hasWord(line, 4) ? (line.trimEnd().length > 4 ? vrfyCommand : missingArgument) : undefined
    case 'EXPN':
      return hasWord(line, 4) ? expnCommand : undefined
    case 'BDAT':
      return hasWord(line, 4) ? bdatCommand : undefined
    case 'ETRN':
      return hasWord(line, 4) ? parseEtrn(line) : undefined
    case 'STAR':
      return hasWord(line, 8) && /^STARTTLS/i.test(line) ? alone(line, startTlsCommand) : undefined
  }
  return undefined
}

const dataCommand = { kind: 'data' } as const
const quitCommand = { kind: 'quit' } as const
const rsetCommand = { kind: 'rset' } as const
const helpCommand = { kind: 'help' } as const
const vrfyCommand = { kind: 'vrfy' } as const
const expnCommand = { kind: 'expn' } as const
const bdatCommand = { kind: 'bdat' } as const
const startTlsCommand = { kind: 'starttls' } as const
const foreign = { kind: 'foreign' } as const

const invalid = (code: number, enhanced: string | undefined, text: string): Command => ({
  kind: 'invalid',
  reply: reply(code, enhanced, text),
})

// Ours, so the session may keep and compare them.
const onlyPrintable = invalid(500, '5.5.2', 'Commands are printable ASCII, and lines end in CRLF')
const eightBitSender = invalid(550, '5.6.7', 'Addresses beyond ASCII are not supported here')
const eightBitRecipient = invalid(553, '5.6.7', 'Addresses beyond ASCII are not supported here')
const emptyLine = invalid(500, '5.5.2', 'That line is empty')
const unrecognised = invalid(500, '5.5.1', 'Command not recognised')
const notImplemented = invalid(502, '5.5.1', 'Command not implemented')
const noArgument = invalid(501, '5.5.4', 'This command takes no argument')
const missingArgument = invalid(501, '5.5.4', 'This command needs an argument')
const missingName = invalid(501, undefined, 'Say your name: EHLO host.example')
const etrnSyntax = invalid(500, '5.5.4', 'Write ETRN domain.example')
const etrnNode = invalid(501, '5.5.4', 'ETRN takes a domain, @domain or #queue')
const mailSyntax = invalid(501, '5.5.4', 'Write MAIL FROM:<address>')
const rcptSyntax = invalid(501, '5.5.4', 'Write RCPT TO:<address>')
const nullRecipient = invalid(501, '5.1.3', 'A recipient cannot be empty')
const rcptParameter = invalid(555, '5.5.4', 'RCPT parameter not recognised')
const mailParameter = invalid(555, '5.5.4', 'MAIL parameter not recognised')
const twice = invalid(501, '5.5.4', 'A parameter was given twice')
const badSize = invalid(501, '5.5.4', 'SIZE takes up to 20 digits')
const badBody = invalid(501, '5.5.4', 'BODY takes 7BIT or 8BITMIME')
const badRet = invalid(501, '5.5.4', 'RET takes FULL or HDRS')
const badEnvid = invalid(501, '5.5.4', 'ENVID takes up to 100 octets of xtext that mean printable ASCII')
const badNotify = invalid(501, '5.5.4', 'NOTIFY takes NEVER, or a list of SUCCESS, FAILURE and DELAY')
const badOrcpt = invalid(
  501,
  '5.5.4',
  'ORCPT takes a type, ";" and xtext that means printable ASCII, 500 octets at most',
)
const badParameter = invalid(501, '5.5.4', 'A parameter is not well formed')

const notPrintable = /[^\x20-\x7e]/
const controls = /[\x00-\x1f\x7f]/

/** NUL, CR and their kin never pass; 8-bit octets get the answer of RFC 6531 §3.5 where an address may hold them. */
function refuseOctets(line: string): Command {
  if (controls.test(line)) return onlyPrintable
  if (/^MAIL /i.test(line)) return eightBitSender
  if (/^RCPT /i.test(line)) return eightBitRecipient
  return onlyPrintable
}

/** Whether the verb of so many letters ends there. */
const hasWord = (line: string, letters: number) => line.length === letters || line.charCodeAt(letters) === 0x20

/** RFC 5321 §4.1.1: trailing blanks are tolerated, arguments are not. */
function alone(line: string, command: Command): Command {
  const letters = command.kind === 'starttls' ? 8 : 4
  return line.length === letters || line.trimEnd().length === letters ? command : noArgument
}

const extensionVerbs = /^(AUTH|TURN|ATRN|SEND|SOML|SAML|XCLIENT|XFORWARD|BURL|LHLO)( |$)/i
// A request line of HTTP, whatever its version ("PRI" begins HTTP/2).
const httpVerbs = /^(GET|POST|HEAD|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PRI) /i

function unknown(line: string): Command {
  if (httpVerbs.test(line)) return foreign
  if (extensionVerbs.test(line)) return notImplemented
  return line.trim() === '' ? emptyLine : unrecognised
}

/**
 * Lenient, as servers are: real senders say all kinds of names (RFC 5321 §4.1.4 forbids to refuse mail for it). One word of
 * printable ASCII is kept.
 */
function parseHello(kind: 'ehlo' | 'helo', line: string): Command {
  const name = line.slice(5).trim()
  if (name === '' || name.length > 255) return missingName
  const blank = name.indexOf(' ')
  return { kind, name: blank < 0 ? name : name.slice(0, blank) }
}

/** RFC 1985 §5: no blank between the option character and the name. The examples of §7 say 500 where there is no name at all. */
function parseEtrn(line: string): Command {
  const node = line.slice(5).trimEnd()
  if (node === '') return etrnSyntax
  const option = node.charAt(0)
  if (option === '#') {
    const name = node.slice(1)
    return /^[!-~]{1,64}$/.test(name) ? { kind: 'etrn', node: { kind: 'queue', name } } : etrnNode
  }
  // A name is what may stand behind an @.
  const parsed = parseMailbox(`postmaster@${option === '@' ? node.slice(1) : node}`)
  const domain = parsed.kind === 'invalid' ? undefined : parsed.mailbox.domain
  if (domain === undefined) return etrnNode
  return { kind: 'etrn', node: { kind: option === '@' ? 'subdomains' : 'domain', domain } }
}

/** Where the path begins behind "MAIL FROM:"; blanks before it are no syntax, and common (RFC 5321 §3.3). */
function pathStart(line: string, keyword: string): number | undefined {
  const end = 5 + keyword.length
  const word = line.slice(5, end)
  if (word !== keyword && word.toUpperCase() !== keyword) return undefined
  let at = end
  while (line.charCodeAt(at) === 0x20) at++
  return at
}

function parseRcpt(line: string, isDsnOffered: boolean): Command {
  const start = pathStart(line, 'TO:')
  if (start === undefined) return rcptSyntax
  const path = parsePath(line, start)
  if (path.kind === 'invalid') return invalid(501, '5.1.3', `The recipient's address ${path.why}`)
  if (path.mailbox === null) return nullRecipient
  if (path.end === line.length) return { kind: 'rcpt', recipient: path.mailbox }
  if (line.charCodeAt(path.end) !== 0x20) return rcptSyntax
  return parseRcptParameters(path.mailbox, line.slice(path.end), isDsnOffered)
}

function parseRcptParameters(mailbox: Mailbox, text: string, isDsnOffered: boolean): Command {
  let notify: Notify | undefined
  let originalRecipient: OriginalRecipient | undefined
  for (const parameter of text.split(' ')) {
    if (parameter === '') continue
    const [, keyword, value = ''] = esmtpParameter.exec(parameter) ?? []
    if (keyword === undefined) return badParameter
    if (!isDsnOffered) return rcptParameter
    // RFC 3461 §5.1 b: 501 for what is not valid, and for what is there twice.
    switch (keyword.toUpperCase()) {
      case 'NOTIFY':
        if (notify !== undefined) return twice
        notify = parseNotify(value)
        if (notify === undefined) return badNotify
        break
      case 'ORCPT':
        if (originalRecipient !== undefined) return twice
        originalRecipient = parseOriginalRecipient(value)
        if (originalRecipient === undefined) return badOrcpt
        break
      default:
        return rcptParameter
    }
  }
  if (notify === undefined && originalRecipient === undefined) return { kind: 'rcpt', recipient: mailbox }
  return { kind: 'rcpt', recipient: { ...mailbox, notify, originalRecipient } }
}

function parseMail(line: string, isDsnOffered: boolean): Command {
  const start = pathStart(line, 'FROM:')
  if (start === undefined) return mailSyntax
  const path = parsePath(line, start)
  if (path.kind === 'invalid') return invalid(501, '5.1.7', `The sender's address ${path.why}`)
  const sender = path.mailbox
  if (path.end === line.length)
    return { kind: 'mail', sender, body: undefined, size: undefined, ret: undefined, envid: undefined }
  if (line.charCodeAt(path.end) !== 0x20) return mailSyntax
  return parseMailParameters(sender, line.slice(path.end), isDsnOffered)
}

/** RFC 5321 §4.1.2: esmtp-param */
const esmtpParameter = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~]+))?$/

function parseMailParameters(sender: ReversePath, text: string, isDsnOffered: boolean): Command {
  let body: '7BIT' | '8BITMIME' | undefined
  let size: number | undefined
  let ret: ReturnContent | undefined
  let envid: EnvelopeId | undefined
  for (const parameter of text.split(' ')) {
    if (parameter === '') continue
    const [, keyword, value = ''] = esmtpParameter.exec(parameter) ?? []
    if (keyword === undefined) return badParameter
    switch (keyword.toUpperCase()) {
      case 'SIZE':
        if (size !== undefined) return twice
        if (!/^\d{1,20}$/.test(value)) return badSize
        size = Number(value)
        break
      case 'BODY': {
        if (body !== undefined) return twice
        const known = value.toUpperCase()
        if (known !== '7BIT' && known !== '8BITMIME') return badBody
        body = known
        break
      }
      // RFC 3461 §5.1 a: 501 for what is not valid, and for what is there twice.
      case 'RET':
        if (!isDsnOffered) return mailParameter
        if (ret !== undefined) return twice
        ret = parseReturnContent(value)
        if (ret === undefined) return badRet
        break
      case 'ENVID':
        if (!isDsnOffered) return mailParameter
        if (envid !== undefined) return twice
        envid = parseEnvelopeId(value)
        if (envid === undefined) return badEnvid
        break
      default:
        return mailParameter
    }
  }
  return { kind: 'mail', sender, body, size, ret, envid }
}
