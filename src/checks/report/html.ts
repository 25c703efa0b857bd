/**
 * One page that needs nothing else: the picture as SVG, findings, what was not checked. No scripts, and a policy that would let none run, so
 * that a page of somebody else's domain can be opened and sent on. Pure.
 */
import type { Finding } from '../finding.ts'
import type { DomainReport, ExaminedReport } from './domain-report.ts'
import { style } from './html-style.ts'
import { lightMarks, preferencesText, shareText, stateMarks } from './layout.ts'
import { escaped } from './markup.ts'
import { groupNotChecked } from './not-checked.ts'
import { pageEnd, pageHead } from './page.ts'
import { pictureSvg } from './picture-svg.ts'
import type { ReportFormat } from './report-format.ts'
import { counted, type State } from './summary.ts'
import type { Tally } from './tally.ts'
import { subjectText } from './text.ts'
import type { Light } from './way-in.ts'

export function htmlFormat(): ReportFormat {
  return {
    begin: () => head,
    one: (report) => (report.kind === 'unexamined' ? unexamined(report) : section(report)),
    end: (tally) => `${tally.domains > 1 ? tallySection(tally) : ''}${pageEnd}`,
  }
}

const head = pageHead('waypost check', style)

const stateLights: Readonly<Record<State, Light['state']>> = {
  arrives: 'good',
  'way-in-order': 'good',
  'takes-no-mail': 'good',
  'arrives-in-part': 'bad',
  'does-not-arrive': 'bad',
  'no-such-domain': 'bad',
  unknown: 'unknown',
}

function unexamined({ domain, why }: Extract<DomainReport, { kind: 'unexamined' }>): string {
  return `<section><h1>${escaped(domain, 300)}</h1><p class="unknown">Could not be examined: ${escaped(why)}</p></section>\n`
}

function section({ domain, summary, way, findings, notChecked, checked }: ExaminedReport): string {
  const { startedAtMs, tookMs, spent } = checked.facts
  const light = stateLights[summary.state]
  const when = new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
  const { error, warning, notice } = summary.counts
  const counts = `${counted(error, 'error')}, ${counted(warning, 'warning')}, ${counted(notice, 'notice')}, ${summary.counts.notChecked} not checked`
  return `<section>
<h1><span class="${light}">${stateMarks[summary.state]}</span> ${escaped(summary.headline)}</h1>
<p class="dim">${counts}. Looked at ${when} UTC, in ${(tookMs / 1000).toFixed(1)} s, with ${counted(spent.queries, 'question')} to DNS and ${counted(spent.connections, 'connection')}.</p>
${way.exchangers.length > 0 ? `<h2>The way in</h2>\n<div class="scroll">${pictureSvg(way, domain)}</div>\n${wayTable(way)}` : ''}${zoneTable(way)}
${findings.length > 0 ? `<h2>Findings</h2>\n${findings.map(article).join('\n')}` : '<p>Nothing was found that is wrong.</p>'}
${notCheckedPart(notChecked)}
</section>
`
}

const cell = ({ state, text }: Light) => `<td class="${state}">${lightMarks[state]} ${escaped(text, 100)}</td>`

/** Of hosts and their addresses. */
const mostRows = 200

function wayTable({ exchangers, smtpPort }: ExaminedReport['way']): string {
  const rows = exchangers.flatMap(({ name, preferences, isImplicit, gets, dns, addresses }) => {
    const who = `<td>${isImplicit ? 'no MX' : preferencesText(preferences)}</td><td>${shareText(gets)}</td><td>${escaped(name, 300)}</td>${cell(dns)}`
    if (addresses.length === 0) return [`<tr>${who}<td>–</td><td>–</td><td>–</td><td>–</td></tr>`]
    return addresses.map(
      ({ address, network, port25, tls }) =>
        `<tr>${who}<td>${escaped(address, 60)}</td><td>${escaped(network, 60)}</td>${cell(port25)}${cell(tls)}</tr>`,
    )
  })
  const heads = ['preference', 'mail', 'exchanger', 'DNS', 'address', 'network', `port ${smtpPort}`, 'TLS']
  const more = rows.length - mostRows
  if (more > 0) rows.splice(mostRows, more, `<tr><td colspan="${heads.length}">and ${more} more</td></tr>`)
  return `<div class="scroll"><table><thead><tr>${heads.map((text) => `<th scope="col">${text}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
`
}

function zoneTable({ zones }: ExaminedReport['way']): string {
  if (zones.length === 0) return ''
  const rows = zones.map(
    ({ name, nameServers, addresses, light, dnssec }) =>
      `<tr><td>${escaped(name, 300)}</td><td>${nameServers}</td><td>${addresses}</td>${cell(light)}${cell(dnssec)}</tr>`,
  )
  const heads = ['zone', 'name servers', 'addresses', 'answers', 'DNSSEC']
  return `<h2>Name servers</h2>
<div class="scroll"><table><thead><tr>${heads.map((text) => `<th scope="col">${text}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
`
}

function article({ id, severity, title, subject, seen, why, rfc, remedy }: Finding): string {
  const standard = rfc.length > 0 ? ` <span class="dim">(${escaped(rfc.join(', '))})</span>` : ''
  const copies = [...(remedy.records ?? []), ...(remedy.settings ?? [])]
  const block = copies.length > 0 ? `\n<pre>${copies.map((line) => escaped(line)).join('\n')}</pre>` : ''
  const tone = { error: 'bad', warning: 'odd', notice: 'dim' }[severity]
  return `<article class="${severity}">
<h3><span class="${tone}">${severity}</span> ${escaped(title)} <span class="dim">${escaped(subjectText(subject))}, ${escaped(id)}</span></h3>
<p>${escaped(seen)}</p>
<p><strong>Why:</strong> ${escaped(why)}${standard}</p>
<p><strong>Do:</strong> ${escaped(remedy.text)}</p>${block}
</article>`
}

function notCheckedPart(notChecked: ExaminedReport['notChecked']): string {
  if (notChecked.length === 0) return ''
  const groups = groupNotChecked(notChecked)
  return `<h2>Not checked</h2>
<p class="dim">None of this is a fault of the domain.</p>
<ul>
${groups.map(({ why, ids }) => `<li>${escaped(why)} <span class="dim">${escaped(ids.join(', '))}</span></li>`).join('\n')}
</ul>`
}

function tallySection({ domains, fine, failing, unknown, rules }: Tally): string {
  const rows = [...rules].map(
    ([id, { error, warning, notice }]) =>
      `<tr><td>${escaped(id)}</td><td>${error}</td><td>${warning}</td><td>${notice}</td></tr>`,
  )
  return `<section>
<h1>${counted(domains, 'domain')}</h1>
<p>${fine} in order, ${failing} with findings, ${unknown} that could not be examined.</p>
<div class="scroll"><table><thead><tr><th scope="col">found in so many domains</th><th scope="col">error</th><th scope="col">warning</th><th scope="col">notice</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></div>
</section>
`
}
