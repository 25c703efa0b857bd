/**
 * A report as one page that needs nothing else: no scripts, no requests, a policy that would let none be made. All that is not ours goes through `escaped`.
 * Pure.
 */
import { lengthText, timeText } from '../../base/time-text.ts'
import { style as checkStyle } from '../../checks/report/html-style.ts'
import { escaped } from '../../checks/report/markup.ts'
import { pageEnd, pageHead } from '../../checks/report/page.ts'
import type { Available, Day, Outage, Report } from './report.ts'
import { findingText, knownText, msText, number, shareText, sizeText } from './text.ts'

const style = `${checkStyle}
td.n, th.n { text-align: right; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1.2rem; margin: .4rem 0; } dt { color: var(--dim); } dd { margin: 0; }
svg rect.delivered { fill: var(--good); stroke: none; } svg rect.held { fill: var(--odd); stroke: none; } svg rect.refused { fill: var(--bad); stroke: none; }
`

export function reportHtml(report: Report): string {
  const { domain, fromMs, untilMs, isDeclared, messages, backends, exchangers, outages, days } = report
  const title = `Mail for ${escaped(domain, 300)}`
  return `${pageHead(title, style)}<h1>${title}</h1>
<p class="dim">${timeText(fromMs)} to ${timeText(untilMs)}</p>
${isDeclared ? '' : '<p class="odd">The domain is not declared now; this is what is known of it.</p>\n'}<section>
<h2>Messages</h2>
${messageList(messages, report.latency)}
${chart(days)}</section>
<section>
<h2>Availability</h2>
${availability('Backends', 'backend', backends)}
${availability('Exchangers', 'exchanger', exchangers)}
</section>
<section>
<h2>Outages</h2>
${outageTable(outages, untilMs)}
</section>
${days.length > 1 ? dayTable(days) : ''}${findingList(report)}
${pageEnd}`
}

function messageList(messages: Report['messages'], { p50Ms, p95Ms, p99Ms }: Report['latency']): string {
  const rows: readonly (readonly [string, string])[] = [
    ['Delivered at once', number(messages.delivered)],
    ['Held, then delivered', number(messages.drained)],
    ['Held in all', number(messages.held + messages.unknown)],
    ['Refused', number(messages.refused)],
    ['Deferred', number(messages.deferred)],
    ['Recipients refused', number(messages.recipientsRefused)],
    ['Refused after a hold', number(messages.refusedAfterHold)],
    ['Octets taken', sizeText(messages.bytes)],
    ['Latency', `half within ${msText(p50Ms)}, 95 % within ${msText(p95Ms)}, 99 % within ${msText(p99Ms)}`],
  ]
  return `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`
}

/** A bar a day; the table beneath says the same in numbers. */
function chart(days: readonly Day[]): string {
  if (days.length < 2) return ''
  const shown = days.slice(-400)
  const most = Math.max(1, ...shown.map(({ delivered, held, refused }) => delivered + held + refused))
  const width = Math.max(1, Math.floor(900 / shown.length) - 1)
  const bars = shown.map(({ delivered, held, refused }, at) => {
    const x = at * (width + 1)
    let y = 120
    const bar = (count: number, name: string) => {
      const height = Math.round((count / most) * 118)
      y -= height
      return height > 0 ? `<rect class="${name}" x="${x}" y="${y}" width="${width}" height="${height}"/>` : ''
    }
    return bar(delivered, 'delivered') + bar(held, 'held') + bar(refused, 'refused')
  })
  const label = `Messages a day: at most ${number(most)}; delivered, held and refused above each other`
  return `<svg role="img" aria-label="${escaped(label)}" viewBox="0 0 ${shown.length * (width + 1)} 120" width="${shown.length * (width + 1)}" height="120">${bars.join('')}</svg>\n<p class="dim">${escaped(label)}.</p>\n`
}

function availability(title: string, what: 'backend' | 'exchanger', list: readonly Available[]): string {
  if (list.length === 0) return `<p class="dim">${title}: nothing is known.</p>`
  const rows = list.map(
    ({ name, share, known }) =>
      `<tr><td>${escaped(name, 300)}</td><td class="n ${share >= 0.999 ? 'good' : share >= 0.99 ? 'odd' : 'bad'}">${shareText(share)}</td><td>${escaped(knownText(what, known))}</td></tr>`,
  )
  return `<div class="scroll"><table><thead><tr><th scope="col">${title}</th><th class="n" scope="col">up</th><th scope="col"></th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function outageTable(outages: readonly Outage[], untilMs: number): string {
  if (outages.length === 0) return '<p class="good">None.</p>'
  const rows = outages.map(({ kind, name, beganMs, endedMs, held, drained, expired, left, longestMs }) => {
    const length = lengthText((endedMs ?? untilMs) - beganMs)
    const what = kind === 'mail' ? 'mail was held' : `${escaped(name, 300)} was down`
    const of =
      kind === 'mail'
        ? `<td class="n">${number(held)}</td><td class="n">${number(drained)}</td><td class="n">${number(expired)}</td><td class="n">${left === null ? '' : number(left)}</td><td>${lengthText(longestMs)}</td>`
        : '<td></td><td></td><td></td><td></td><td></td>'
    return `<tr><td>${timeText(beganMs)}</td><td>${endedMs === null ? `${length}, and lasts` : length}</td><td>${what}</td>${of}</tr>`
  })
  return `<div class="scroll"><table><thead><tr><th scope="col">began</th><th scope="col">lasted</th><th scope="col">what</th><th class="n" scope="col">held</th><th class="n" scope="col">delivered since</th><th class="n" scope="col">expired</th><th class="n" scope="col">still held</th><th scope="col">longest wait</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function dayTable(days: readonly Day[]): string {
  const rows = days.map(
    ({ atMs, delivered, held, refused, deferred, p50Ms, p95Ms }) =>
      `<tr><td>${new Date(atMs).toISOString().slice(0, 10)}</td>${[delivered, held, refused, deferred].map((count) => `<td class="n">${number(count)}</td>`).join('')}<td class="n">${msText(p50Ms)}</td><td class="n">${msText(p95Ms)}</td></tr>`,
  )
  return `<section>\n<h2>Days</h2>\n<div class="scroll"><table><thead><tr><th scope="col">day (UTC)</th><th class="n" scope="col">delivered</th><th class="n" scope="col">held</th><th class="n" scope="col">refused</th><th class="n" scope="col">deferred</th><th class="n" scope="col">half within</th><th class="n" scope="col">95 % within</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>\n</section>\n`
}

function findingList({ findings, checkedMs, domain }: Report): string {
  const list =
    findings.length === 0
      ? `<p>${checkedMs === null ? 'The domain has not been checked.' : 'Nothing is wrong.'}</p>`
      : `<ul>${findings.map(({ severity, ...finding }) => `<li class="${severity === 'error' ? 'bad' : severity === 'warning' ? 'odd' : 'dim'}">${escaped(severity)}: ${escaped(findingText({ severity, ...finding }, domain), 600)}</li>`).join('')}</ul>`
  return `<section>\n<h2>Findings of the last check</h2>\n${checkedMs === null ? '' : `<p class="dim">${timeText(checkedMs)}</p>\n`}${list}\n</section>`
}
