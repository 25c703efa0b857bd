/**
 * HTML of a stranger's mail → HTML that can do nothing: elements, attributes and style by a list of what is harmless, everything else left out. No
 * reference to anything outside stays, not even one that a person could click. Called by `read-text.ts`; what comes out is shown in a sandbox that would
 * stop it as well (`policy.ts`).
 */
import { Parser } from 'htmlparser2'
import { printable, printableText } from '../../base/printable.ts'

const elements: ReadonlySet<string> = new Set(
  `abbr address article b big blockquote br caption center cite code col colgroup dd del div dl dt em font footer h1 h2 h3 h4 h5 h6 header hr i ins
  li main ol p pre q s section small span strike strong sub sup table tbody td tfoot th thead tr tt u ul`.split(/\s+/),
)
const empty: ReadonlySet<string> = new Set(['br', 'col', 'hr'])

/** Left out with all that is in them; every other element is left out by itself. */
const withContent: ReadonlySet<string> = new Set(
  'applet audio canvas embed frame frameset head iframe math noembed noframes noscript object script select style svg template textarea title video xmp'.split(
    ' ',
  ),
)

const attributes: ReadonlySet<string> = new Set(
  'align bgcolor border cellpadding cellspacing color colspan dir height lang rowspan size start valign width'.split(
    ' ',
  ),
)

const properties =
  /^(?:background-color|color|font(?:-family|-size|-style|-weight)?|text-(?:align|decoration|indent|transform)|line-height|letter-spacing|vertical-align|white-space|list-style-type|direction|(?:max-)?width|border-(?:collapse|radius|spacing)|(?:margin|padding|border)(?:-(?:top|right|bottom|left))?(?:-(?:color|style|width))?)$/

/** Words, numbers and colours: no function but those of colours, so that nothing is fetched, and no escape. */
const values = /^[a-z0-9 #.,%'"!-]*$/i
const colours = /\brgba?\([\d\s,.%/]*\)/gi

const mostDepth = 200
const mostOutput = 2 * 1024 * 1024

export function safeHtml(html: string): string {
  let out = ''
  /** Within an element that is left out with its content: how deep. */
  let skipping = 0
  const open: string[] = []
  /** Where links led, innermost last. */
  const links: { readonly to: string; readonly from: number }[] = []

  const parser = new Parser(
    {
      onopentag(name, given) {
        if (withContent.has(name)) skipping++
        if (skipping > 0 || out.length > mostOutput) return
        if (name === 'a') links.push({ to: linkText(given.href ?? ''), from: out.length })
        if (name === 'img') out += `<i>[image${given.alt ? `: ${escaped(printable(given.alt, 200))}` : ''}]</i>`
        if (!elements.has(name) || open.length >= mostDepth) return
        out += `<${name}${attributesText(given)}>`
        if (!empty.has(name)) open.push(name)
      },
      ontext(text) {
        if (skipping === 0 && out.length <= mostOutput) out += escaped(printableText(text))
      },
      onclosetag(name) {
        if (withContent.has(name)) {
          skipping = Math.max(0, skipping - 1)
          return
        }
        if (skipping > 0) return
        if (name === 'a') closeLink()
        const at = open.lastIndexOf(name)
        if (at < 0) return
        while (open.length > at) out += `</${open.pop()}>`
      },
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  )

  /** A link cannot be followed, so it says where it leads. */
  function closeLink(): void {
    const link = links.pop()
    if (!link || link.to === '' || out.slice(link.from).includes(escaped(link.to))) return
    out += ` <small>[${escaped(link.to)}]</small>`
  }

  parser.write(html)
  parser.end()
  while (open.length > 0) out += `</${open.pop()}>`
  return out
}

/** What begins with another scheme leads to no place that a person could look at. */
function linkText(href: string): string {
  const trimmed = href.trim()
  return /^(?:https?|mailto):/i.test(trimmed) ? printable(trimmed, 200) : ''
}

function attributesText(given: Readonly<Record<string, string>>): string {
  let text = ''
  for (const [name, value] of Object.entries(given)) {
    if (name === 'style') {
      const style = safeStyle(value)
      if (style !== '') text += ` style="${escaped(style)}"`
    } else if (attributes.has(name) && /^[\w#%.,+ -]{0,64}$/.test(value)) text += ` ${name}="${escaped(value)}"`
  }
  return text
}

function safeStyle(style: string): string {
  return style
    .slice(0, 4096)
    .split(';')
    .flatMap((declaration) => {
      const colon = declaration.indexOf(':')
      const property = declaration.slice(0, Math.max(0, colon)).trim().toLowerCase()
      const value = declaration.slice(colon + 1).trim()
      return properties.test(property) && values.test(value.replace(colours, '')) ? [`${property}: ${value}`] : []
    })
    .join('; ')
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
