/**
 * Holds the rooms apart: which folder of `src/` may import which (ARCHITECTURE.md), and what only one place may touch. Type imports count
 * too. No file may need one that needs it, nor a folder of a room one that needs it. `npm run check:imports` runs it; it prints
 * `file:line: what is wrong and what is allowed` and exits 1.
 * Unit tests may import any room; the rules are for what ships.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { circlesOf } from './import-circles.ts'

const everyRoom = 'base store dns records mail routing smtp delivery queue gateway publish checks watch web config cli'

/** A room, and what it may import beside itself. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  base: [],
  store: words('base'),
  dns: words('base'),
  records: words('base dns'),
  mail: words('base dns'),
  routing: words('base dns mail'),
  smtp: words('base mail'),
  delivery: words('base mail routing smtp'),
  queue: words('base store mail routing'),
  gateway: words('base dns mail routing smtp delivery queue'),
  publish: words('base store dns records mail routing smtp'),
  checks: words('base dns records mail routing smtp'),
  watch: words('base store mail routing smtp queue publish gateway checks'),
  web: words('base store mail routing queue gateway publish checks watch'),
  demo: words('base mail routing smtp'),
  config: words(everyRoom).filter((room) => room !== 'cli'),
  cli: words(`${everyRoom} demo`),
  'index.ts': words(everyRoom).filter((room) => room !== 'cli'),
}

/** All that reaches a terminal goes through here, and is made safe. */
const terminalFile = 'cli/terminal.ts'

/** Runs in a browser, which has none of what is handed in here. */
const browserFolder = 'web/browser/'

/** What code may touch only where it is listed here: a room, or a file. */
const reserved: readonly {
  readonly what: RegExp
  readonly allowed: readonly string[]
  readonly instead: string
  /** A file that holds this means something else by the word. */
  readonly unless?: RegExp
}[] = [
  { what: /\bconsole\s*\./, allowed: [terminalFile], instead: 'take a Log (base/log.ts) or a Terminal' },
  {
    what: /\b(?:stdout|stderr)\b|\bwriteSync\s*\(\s*[12]\b/,
    allowed: [terminalFile],
    instead: 'take a Terminal, which makes what it writes safe',
  },
  { what: /\bprocess\s*\./, allowed: ['cli'], instead: 'be handed what you need by cli' },
  { what: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/, allowed: ['base/clock.ts'], instead: 'take a Clock' },
  { what: /\b(?:setTimeout|setInterval)\s*\(/, allowed: ['base/clock.ts'], instead: 'take a Clock' },
  { what: /\bMath\.random\b/, allowed: ['base/random.ts'], instead: 'take a Random' },
  { what: /\bnew\s+(?:net\s*\.\s*)?Socket\b/, allowed: ['base/door.ts'], instead: 'take a Door' },
  // The global one, which opens connections of its own. A method, and a function of that name that a file declares, are others.
  {
    what: /(?<![.\w$#])fetch\s*\(|\bglobalThis\s*\.\s*fetch\b/,
    allowed: ['base/door.ts'],
    instead: 'take a Door',
    unless: /\bfunction\s+fetch\s*\(|\bconst\s+fetch\s*=/,
  },
]

const doorFile = 'base/door.ts'
const lookupFile = 'base/host-lookup.ts'
const takeLookup = 'take a HostLookup, or a Resolver'
const dnsNames = words(
  'lookup lookupService resolve resolve4 resolve6 resolveMx resolveTxt reverse promises Resolver *',
)

/** Modules of Node that open connections, with the names that do, and the files that may. `*` stands for a whole-module import. */
const doors: Readonly<
  Record<string, { readonly names: readonly string[]; readonly allowed: readonly string[]; readonly instead?: string }>
> = {
  'node:net': { names: ['connect', 'createConnection', '*'], allowed: [doorFile] },
  // They secure a socket that the door has opened, and open none.
  'node:tls': {
    names: ['connect', '*'],
    allowed: [doorFile, 'base/http-client.ts', 'base/https.ts', 'smtp/client/open.ts'],
  },
  // Over a socket that the door has opened.
  'node:http': { names: ['request', 'get', 'Agent', '*'], allowed: [doorFile, 'base/http-client.ts', 'base/https.ts'] },
  'node:https': { names: ['request', 'get', 'Agent', '*'], allowed: [doorFile] },
  'node:http2': { names: ['connect', '*'], allowed: [doorFile] },
  'node:dgram': { names: ['createSocket', '*'], allowed: ['dns/udp.ts', 'dns/authoritative/udp-server.ts'] },
  // What the machine resolves has no deadline, and what mail and DNS name is the resolver's.
  'node:dns': { names: dnsNames, allowed: [lookupFile], instead: takeLookup },
  'node:dns/promises': { names: dnsNames, allowed: [lookupFile], instead: takeLookup },
}

export interface Finding {
  readonly file: string
  readonly line: number
  readonly message: string
}

/** @param path  below `src/`, with slashes; @param text  of the file */
export function checkFile(path: string, text: string): Finding[] {
  const room = path.split('/')[0] ?? ''
  const findings: Finding[] = []
  const say = (offset: number, message: string) => {
    findings.push({ file: `src/${path}`, line: text.slice(0, offset).split('\n').length, message })
  }
  const allowed = rooms[room]
  if (!allowed) {
    say(0, `"${room}" is no room; the rooms are ${Object.keys(rooms).join(', ')}`)
    return findings
  }
  const bare = withoutComments(text)
  for (const { specifier, names, offset } of importsOf(bare)) {
    const wrong = judgeImport(path, room, allowed, specifier, names)
    if (wrong) say(offset, wrong)
  }
  const code = withoutStrings(bare)
  for (const { what, allowed: places, instead, unless } of reserved) {
    if (path.startsWith(browserFolder) || places.includes(room) || places.includes(path) || unless?.test(code)) continue
    for (const match of code.matchAll(new RegExp(what, 'g')))
      say(match.index, `"${match[0]}" is for ${places.join(', ')} alone: ${instead}`)
  }
  return findings
}

function judgeImport(
  path: string,
  room: string,
  allowed: readonly string[],
  specifier: string,
  names: string,
): string | undefined {
  // "net" is "node:net".
  const door = doors[specifier.startsWith('node:') ? specifier : `node:${specifier}`]
  const forbidden = door?.names.find((name) => imports(names, name))
  if (door && forbidden !== undefined && !door.allowed.includes(path))
    return `"${forbidden}" of ${specifier} is for ${door.allowed.join(', ')} alone: ${door.instead ?? 'take a Door'}`
  if (!specifier.startsWith('.')) return undefined
  if (!/\.(ts|js)$/.test(specifier)) return `the import of "${specifier}" does not end in .ts`
  const target = targetOf(path, specifier)
  if (target.startsWith('..'))
    return target === '../package.json' ? undefined : `src/ imports "${target}", which does not ship`
  const other = target.split('/')[0] ?? ''
  if (other === room || allowed.includes(other)) return undefined
  return `${room} imports ${other}; it may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}`
}

const targetOf = (path: string, specifier: string) => posix.normalize(posix.join(posix.dirname(path), specifier))

/** @param texts  of all files, by path below `src/` */
export function checkCircles(texts: ReadonlyMap<string, string>): Finding[] {
  const circles = circlesOf(new Map(Array.from(texts, ([path, text]) => [path, filesNamed(path, text)])))
  return circles.map((way) => ({ file: `src/${way[0]}`, line: 1, message: `it needs itself: ${way.join(' → ')}` }))
}

/**
 * The folders of a room, and the files beside them, stand above one another as rooms do.
 * @param texts  of all files, by path below `src/`
 */
export function checkFolders(texts: ReadonlyMap<string, string>): Finding[] {
  /** By part, the parts that it needs, each with the first file that does. */
  const needs = new Map<string, Map<string, string>>()
  for (const [path, text] of texts) {
    const [part, room = ''] = [partOf(path), path.split('/')[0]]
    const needed = needs.get(part) ?? new Map<string, string>()
    needs.set(part, needed)
    for (const target of filesNamed(path, text)) {
      const other = partOf(target)
      if (other !== part && target.startsWith(`${room}/`) && !needed.has(other)) needed.set(other, path)
    }
  }
  const circles = circlesOf(new Map(Array.from(needs, ([part, needed]) => [part, [...needed.keys()]])))
  return circles.map((way) => {
    const by = way.slice(1).map((part, at) => needs.get(way[at] ?? '')?.get(part))
    return {
      file: `src/${by[0]}`,
      line: 1,
      message: `its folder needs itself: ${way.join(' → ')}, by ${by.join(', ')}`,
    }
  })
}

/** `gateway/hold` of all that is in that folder; of a file beside the folders its own path. */
const partOf = (path: string) => path.split('/').slice(0, 2).join('/')

const filesNamed = (path: string, text: string) =>
  importsOf(withoutComments(text)).flatMap(({ specifier }) =>
    specifier.startsWith('.') ? [targetOf(path, specifier)] : [],
  )

const imports = (names: string, name: string) =>
  name === '*' ? /^\s*(?:\*|[A-Za-z_$])/.test(names) : new RegExp(`(?:\\{|,)\\s*${name}\\b`).test(names)

/** Static and dynamic imports and re-exports of text without comments. */
function importsOf(text: string): { specifier: string; names: string; offset: number }[] {
  const found: { specifier: string; names: string; offset: number }[] = []
  const statement = /^[ \t]*(?:import|export)\s+(?:type\s+)?((?:[^'";]*?\sfrom\s+)?)['"]([^'"\n]+)['"]/gm
  for (const match of text.matchAll(statement))
    found.push({ names: match[1] ?? '', specifier: match[2] ?? '', offset: match.index })
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"\n]+)['"]/g))
    found.push({ names: '*', specifier: match[1] ?? '', offset: match.index })
  return found
}

const literal = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g
/** A regular expression stands where a value begins; a division does not. */
const expression = /(?<=[(,=:[!&|?{};+>]\s*|\breturn\s+)\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g

const blank = (text: string) => text.replace(/[^\n]/g, ' ')

/** The same length, with comments blanked and regular expressions too, so that quotes in them open no strings. */
function withoutComments(text: string): string {
  const both = new RegExp(`${literal.source}|${expression.source}`, 'g')
  return text.replace(both, (found) => (/^['"`]/.test(found) ? found : blank(found)))
}

const withoutStrings = (text: string) =>
  text.replace(literal, (found) => (found.startsWith('`') ? found : blank(found)))

function words(text: string): readonly string[] {
  return text.split(' ')
}

function main(): number {
  const source = join(dirname(fileURLToPath(import.meta.url)), '../src')
  const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts'))
  const texts = new Map(
    files.sort().map((file) => [file.replaceAll('\\', '/'), readFileSync(join(source, file), 'utf8')]),
  )
  const findings = [
    ...[...texts].flatMap(([path, text]) => checkFile(path, text)),
    ...checkCircles(texts),
    ...checkFolders(texts),
  ]
  for (const { file, line, message } of findings) console.error(`${file}:${line}: ${message}`)
  return findings.length === 0 ? 0 : 1
}

if (import.meta.main) process.exitCode = main()
