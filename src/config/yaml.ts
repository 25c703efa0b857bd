/**
 * YAML text → values with places. js-yaml reads the text into events; here they become a tree in which every key and value knows
 * where it stands, with all duplicate keys and the like reported, not the first alone. Called by `read.ts` for each file.
 * Scalars stay text, as they were written (YAML's "failsafe" schema): what a key means is for its option to say.
 */
import {
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  YAMLException,
} from 'js-yaml'
import type { Problem, Source } from './source.ts'
import { bracketedAddress, syntaxProblem } from './yaml-syntax.ts'

/** A value in the file. `value` is the plain form: text, null where nothing stands, lists, and objects without a prototype. */
export type YamlNode =
  | {
      readonly kind: 'scalar'
      readonly start: number
      readonly end: number
      readonly value: string | null
      /** It stands for what could not be read, which was told. */
      readonly isTold?: true
    }
  | { readonly kind: 'list'; readonly start: number; readonly items: YamlNode[]; readonly value: unknown[] }
  | {
      readonly kind: 'map'
      readonly start: number
      readonly entries: Map<string, YamlEntry>
      readonly value: Record<string, unknown>
    }

export interface YamlEntry {
  readonly keyStart: number
  readonly keyEnd: number
  readonly node: YamlNode
}

export type ParsedYaml =
  | { readonly kind: 'parsed'; readonly root: YamlNode; readonly problems: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }

/** Nesting that no configuration needs more of. */
const maxDepth = 30

export function parseYaml(source: Source): ParsedYaml {
  let events: Event[]
  try {
    events = parseEvents(source.text, { maxDepth })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    return { kind: 'invalid', problems: [syntaxProblem(source, error.mark?.position ?? 0, error.reason)] }
  }
  return compose(source, events)
}

interface Frame {
  readonly node: Extract<YamlNode, { kind: 'list' | 'map' }>
  readonly anchor: string | undefined
  /** Values below this one, those that aliases bring in counted each time. */
  size: number
  key: { readonly text: string; readonly start: number; readonly end: number } | undefined
}

interface Anchored {
  readonly node: YamlNode
  readonly size: number
}

/** One walk over the events, with a stack of the open lists and maps. */
class Composer {
  readonly problems: Problem[] = []
  root: YamlNode | undefined
  readonly #source: Source
  readonly #stack: Frame[] = []
  readonly #anchors = new Map<string, Anchored | 'open'>()
  readonly #mostAliased: number
  #aliased = 0
  #documents = 0
  /** The end of the scalar or alias that was read last. */
  #seenTo = 0

  constructor(source: Source, eventCount: number) {
    this.#source = source
    // Aliases of aliases grow exponentially ("billion laughs"): what they bring in stays in proportion to the file.
    this.#mostAliased = 100_000 + 10 * eventCount
  }

  take(event: Event): void {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        this.#documents++
        if (this.#documents === 2)
          this.#wrong(this.#end(), this.#end() + 1, 'a second YAML document: one is all that is read')
        return
      case EVENT_ID.POP:
        this.#close()
        return
      case EVENT_ID.ALIAS:
        this.#alias(event.anchorStart, event.anchorEnd)
        return
      case EVENT_ID.SCALAR:
        this.#scalar(event)
        return
      case EVENT_ID.SEQUENCE:
        this.#open(event, { kind: 'list', start: event.start, items: [], value: [] })
        return
      case EVENT_ID.MAPPING:
        this.#open(event, { kind: 'map', start: event.start, entries: new Map(), value: Object.create(null) })
    }
  }

  #open(
    event: { tagStart: number; tagEnd: number; anchorStart: number; anchorEnd: number },
    node: Frame['node'],
  ): void {
    this.#refuseTag(event)
    const anchor = this.#nameAt(event.anchorStart, event.anchorEnd)
    if (anchor !== undefined) this.#anchors.set(anchor, 'open')
    this.#stack.push({ node, anchor, size: 1, key: undefined })
  }

  #close(): void {
    const frame = this.#stack.pop()
    if (!frame) return // the document itself
    if (frame.anchor !== undefined) this.#anchors.set(frame.anchor, { node: frame.node, size: frame.size })
    this.#place(frame.node, frame.size)
  }

  #scalar(event: ScalarEvent): void {
    this.#refuseTag(event)
    const frame = this.#stack.at(-1)
    const isKey = frame?.node.kind === 'map' && frame.key === undefined
    const text = event.valueStart < 0 ? '' : getScalarValue(this.#source.text, event)
    const isPlain = event.style === SCALAR_STYLE.PLAIN
    // An empty value has no place of its own: it stands behind its key, or behind its hyphen.
    const empty = event.valueStart < 0 ? (frame?.key ?? this.#hyphenOf(frame)) : undefined
    const start = empty?.start ?? quoteBefore(event)
    const end = empty?.end ?? (isPlain ? event.valueEnd : event.valueEnd + 1)
    this.#seenTo = Math.max(this.#seenTo, end)
    if (isKey && frame) {
      frame.key = { text, start, end }
      return
    }
    const value = isPlain && /^(?:|~|null|Null|NULL)$/.test(text) ? null : text
    const node: YamlNode = { kind: 'scalar', start, end, value }
    const anchor = this.#nameAt(event.anchorStart, event.anchorEnd)
    if (anchor !== undefined) this.#anchors.set(anchor, { node, size: 1 })
    this.#place(node, 1)
  }

  /** The hyphen of the list's next item, which is the first behind what was read, comments apart. */
  #hyphenOf(frame: Frame | undefined): { readonly start: number; readonly end: number } {
    const from = Math.max(this.#seenTo, frame?.node.start ?? 0)
    const between = /^(?:[\s\]}]|#[^\n]*)*/.exec(this.#source.text.slice(from))?.[0] ?? ''
    const start = from + between.length
    return { start, end: start + 1 }
  }

  #alias(start: number, end: number): void {
    this.#seenTo = end
    const name = this.#source.text.slice(start, end)
    const anchored = this.#anchors.get(name)
    if (anchored === undefined || anchored === 'open') {
      const why = anchored
        ? `stands inside of what "&${name}" names`
        : 'names nothing that was marked before; text that begins with "*" stands in quotes'
      this.#wrong(start - 1, end, `the alias "*${name}" ${why}`)
      this.#place({ kind: 'scalar', start: start - 1, end, value: null, isTold: true }, 1)
      return
    }
    this.#aliased += anchored.size
    if (this.#aliased > this.#mostAliased) {
      if (this.#aliased - anchored.size <= this.#mostAliased)
        this.#wrong(start - 1, end, 'aliases of aliases grow too large here; write the values out')
      this.#aliased = Math.max(this.#aliased, this.#mostAliased + 1)
      this.#place({ kind: 'scalar', start: start - 1, end, value: null, isTold: true }, 1)
      return
    }
    this.#place(anchored.node, anchored.size)
  }

  #place(node: YamlNode, size: number): void {
    const frame = this.#stack.at(-1)
    if (!frame) {
      this.root ??= node
      return
    }
    frame.size += size
    if (frame.node.kind === 'list') {
      frame.node.items.push(node)
      frame.node.value.push(node.value)
      return
    }
    if (frame.key === undefined) {
      // A list or a map in the place of a key: its value still follows.
      const at = startOf(node)
      const literal = bracketedAddress(this.#source.text, at)
      this.#wrong(at, literal?.end ?? at + 1, literal?.why ?? 'a key must be text')
      frame.key = { text: `\u0000${at}`, start: at, end: at + 1 }
      return
    }
    this.#enter(frame.node, frame.key, node)
    frame.key = undefined
  }

  #enter(map: Extract<YamlNode, { kind: 'map' }>, key: NonNullable<Frame['key']>, node: YamlNode): void {
    if (key.text.startsWith('\u0000')) return
    const earlier = map.entries.get(key.text)
    if (earlier) {
      const line = this.#source.problem(earlier.keyStart, earlier.keyEnd, '').line
      this.#wrong(key.start, key.end, `the key "${key.text}" stands on line ${line} already`)
      return
    }
    map.entries.set(key.text, { keyStart: key.start, keyEnd: key.end, node })
    map.value[key.text] = node.value
  }

  #refuseTag({ tagStart, tagEnd }: { tagStart: number; tagEnd: number }): void {
    if (tagStart >= 0) this.#wrong(tagStart, tagEnd, 'YAML tags ("!…") have no meaning here')
  }

  #nameAt(start: number, end: number): string | undefined {
    return start < 0 ? undefined : this.#source.text.slice(start, end)
  }

  #end(): number {
    return Math.max(0, this.#source.text.indexOf('\n---') + 1)
  }

  #wrong(start: number, end: number, message: string): void {
    this.problems.push(this.#source.problem(start, end, message))
  }
}

function compose(source: Source, events: readonly Event[]): ParsedYaml {
  const composer = new Composer(source, events.length)
  for (const event of events) composer.take(event)
  const { root, problems } = composer
  if (root === undefined || (root.kind === 'scalar' && root.value === null))
    return { kind: 'invalid', problems: [...problems, source.problem(0, 1, 'the file is empty')] }
  return { kind: 'parsed', root, problems }
}

const quoteBefore = (event: ScalarEvent) =>
  event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
    ? event.valueStart - 1
    : event.valueStart

const startOf = (node: YamlNode) => node.start

/** Where the value at `path` stands; as deep as the tree goes. */
export function placeOf(
  root: YamlNode,
  path: readonly PropertyKey[],
): { readonly start: number; readonly end: number } {
  let node = root
  let key: { start: number; end: number } | undefined
  for (const step of path) {
    if (node.kind === 'scalar') break
    const entry = node.kind === 'map' ? node.entries.get(String(step)) : undefined
    const next = node.kind === 'list' ? node.items[Number(step)] : entry?.node
    if (!next) break
    key = entry ? { start: entry.keyStart, end: entry.keyEnd } : undefined
    node = next
  }
  if (node.kind === 'scalar') return { start: node.start, end: node.end }
  // A list or a map is shown by its key; one in a list by its first character.
  return key ?? { start: node.start, end: node.start + 1 }
}

/** Where the key at the end of `path` stands. */
export function keyPlaceOf(
  root: YamlNode,
  path: readonly PropertyKey[],
): { readonly start: number; readonly end: number } {
  const node = nodeAt(root, path.slice(0, -1))
  const entry = node?.kind === 'map' ? node.entries.get(String(path.at(-1))) : undefined
  return entry ? { start: entry.keyStart, end: entry.keyEnd } : placeOf(root, path)
}

/** What stands at `path`; undefined where nothing does. */
export function nodeAt(root: YamlNode, path: readonly PropertyKey[]): YamlNode | undefined {
  let node: YamlNode | undefined = root
  for (const step of path) {
    if (node?.kind === 'map') node = node.entries.get(String(step))?.node
    else node = node?.kind === 'list' ? node.items[Number(step)] : undefined
  }
  return node
}

/** The entry of one key becomes that of another, which there is none of yet. It keeps its place. */
export function renameKey(map: Extract<YamlNode, { kind: 'map' }>, from: string, to: string): void {
  const entry = map.entries.get(from)
  if (!entry) return
  map.entries.delete(from)
  map.entries.set(to, entry)
  delete map.value[from]
  map.value[to] = entry.node.value
}
