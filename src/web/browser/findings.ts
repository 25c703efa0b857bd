/** What a check found, as a list: each with what was seen, why it matters, what to do, and its page in the docs where somebody wants to know more. */
import type { FindingShown, Found } from '../check/found.ts'
import { ask } from './ask.ts'
import { h } from './element.ts'
import { badgeOf, type Tone } from './states.ts'
import { ago, count } from './words.ts'

const tones: Readonly<Record<FindingShown['severity'], Tone>> = { error: 'bad', warning: 'odd', notice: 'unknown' }

export function findings({ findings: list, notChecked }: Found): readonly Node[] {
  const nodes: Node[] =
    list.length === 0
      ? [h('p', {}, badgeOf('good', 'nothing was found that is wrong'))]
      : list.map((finding) => findingOf(finding))
  if (notChecked.length > 0)
    nodes.push(
      h(
        'details',
        {},
        h('summary', {}, `${count(notChecked.length, 'point')} could not be checked`),
        h(
          'ul',
          { class: 'plain small' },
          ...notChecked.map(({ title, why }) => h('li', {}, `${title}: `, h('span', { class: 'dim' }, why))),
        ),
      ),
    )
  return nodes
}

function findingOf({ id, severity, title, subject, seen, why, rfc, remedy, sinceMs }: FindingShown): HTMLElement {
  const more = h('details', {}, h('summary', { class: 'small' }, 'More about this check'))
  more.addEventListener('toggle', () => {
    if (more.open && more.childElementCount === 1) void showPage(id, more)
  })
  return h(
    'article',
    { class: `finding ${severity}` },
    h(
      'h3',
      { class: 'row' },
      badgeOf(tones[severity], severity),
      title,
      h('span', { class: 'dim small' }, sinceMs === undefined ? subject : `first seen ${ago(sinceMs)}`),
    ),
    h('p', {}, seen),
    h('p', { class: 'dim' }, why, rfc.length > 0 ? ` (${rfc.join(', ')})` : ''),
    h('p', {}, h('strong', {}, 'Do: '), remedy.text),
    remedy.lines.length > 0 && h('pre', { class: 'copy' }, remedy.lines.join('\n')),
    more,
  )
}

async function showPage(id: string, place: HTMLElement): Promise<void> {
  const heard = await ask<{ text: string }>('GET', `/api/docs/checks/${id}`)
  const nodes = heard.kind === 'ok' ? markdown(heard.value.text) : [h('p', {}, `It cannot be shown: ${heard.why}.`)]
  place.append(h('div', { class: 'doc small' }, ...nodes))
}

/** As much of Markdown as our own pages use. The first heading is left out: it is the title of what is opened. */
function markdown(text: string): readonly Node[] {
  const blocks = text.split(/\n{2,}/).map((block) => block.trim())
  return blocks.flatMap((block): Node[] => {
    if (block === '' || block.startsWith('# ')) return []
    if (block.startsWith('#')) return [h('h4', {}, ...inline(block.replace(/^#+ /, '')))]
    if (block.startsWith('```')) return [h('pre', { class: 'copy' }, block.replace(/^```\w*\n|\n?```$/g, ''))]
    if (block.startsWith('|')) return [h('pre', {}, block)]
    if (/^[-*] /.test(block))
      return [h('ul', {}, ...block.split(/\n(?=[-*] )/).map((item) => h('li', {}, ...inline(item.slice(2)))))]
    return [h('p', {}, ...inline(block))]
  })
}

function inline(text: string): readonly Node[] {
  return text
    .replace(/\n/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*)/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part.startsWith('`')) return h('code', {}, part.slice(1, -1))
      if (part.startsWith('**')) return h('strong', {}, part.slice(2, -2))
      if (part.startsWith('*')) return h('em', {}, part.slice(1, -1))
      return document.createTextNode(part)
    })
}
