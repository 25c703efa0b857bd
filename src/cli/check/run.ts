/**
 * One run of `waypost check`, from its options to its exit code:
 *   rules → waypost.yaml → the domains, so many at once: examined → reported as they come → counted → the end, with a table for many
 */
import { type Clock, stayAwake } from '../../base/clock.ts'
import type { Door } from '../../base/door.ts'
import { errorCode } from '../../base/error-code.ts'
import type { Random } from '../../base/random.ts'
import { type Checker, createChecker } from '../../checks/check-domain.ts'
import type { Progress } from '../../checks/collect/inquiry.ts'
import { type DomainReport, domainReport } from '../../checks/report/domain-report.ts'
import { createFormat, type FormatName, formatOfFile } from '../../checks/report/format.ts'
import { createPaint } from '../../checks/report/layout.ts'
import type { ReportFormat } from '../../checks/report/report-format.ts'
import { count, countable, createTally, type Tally } from '../../checks/report/tally.ts'
import { tallyLines } from '../../checks/report/text.ts'
import type { Rule } from '../../checks/rule.ts'
import { fileErrorText } from '../file-error.ts'
import { Misuse } from '../misuse.ts'
import { readDomain } from '../option-readers.ts'
import { barText, createProgress, spentText } from '../progress.ts'
import { runMany } from '../run-many.ts'
import { createStatusLine, type ExitCode, outShape, type StatusLine, type Terminal } from '../terminal.ts'
import { type Declared, type DomainSource, openDomains, readDeclared } from './domains.ts'
import type { Fingerprints } from './fingerprints.ts'
import { type CheckFlags, checkerOptions, chooseRules } from './options.ts'
import { newFile, type Output, resumedFile, standardOutput } from './output.ts'

export interface CheckDeps {
  readonly clock: Clock
  readonly random: Random
  readonly door: Door
}

/** Domains at once: what is asked of DNS alone takes little of ours and of others. */
const atOnceWithSmtp = 20
const atOnceWithoutSmtp = 100

export async function runCheck(
  names: readonly string[],
  flags: CheckFlags,
  terminal: Terminal,
  deps: CheckDeps,
): Promise<ExitCode> {
  const wrong = contradiction(names, flags)
  const chosen = chooseRules(flags)
  if (wrong !== undefined) throw new Misuse(wrong)
  if (chosen.kind === 'wrong') throw new Misuse(chosen.why)
  const declared = await readDeclared(flags.config, names.length === 0 && flags.input === undefined, terminal)
  if (!declared) return 2
  const awake = stayAwake()
  try {
    const options = await checkerOptions(flags, chosen.rules, declared, deps.clock)
    const source = await openDomains(names, flags.input, declared)
    const checker = createChecker(options, deps)
    try {
      return await checkAll({ source, checker, declared, rules: chosen.rules, flags, terminal, deps })
    } finally {
      checker.close()
      await source.close()
    }
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    terminal.err(`waypost: ${fileErrorText(error)}\n`)
    return 2
  } finally {
    awake.cancel()
  }
}

/** What no run can be made of; undefined where all is well. */
function contradiction(names: readonly string[], flags: CheckFlags): string | undefined {
  if (names.length > 0 && flags.input !== undefined) return 'domains are named, and --input names more: use one of them'
  if (flags.resume && flags.output === undefined) return '--resume goes on with a file: name it with --output FILE'
  const format = formatOf(flags)
  if (flags.json && format !== 'json')
    return `--json is --format json, and --format ${format} says another: use one of them`
  if (flags.resume && format !== 'jsonl')
    return `--resume goes on with JSON lines, not with ${format}: use --format jsonl`
  if (flags.resume && flags.overwrite)
    return '--resume goes on with a file, and --overwrite begins it anew: use one of them'
  if (flags.overwrite && flags.output === undefined) return '--overwrite replaces a file: name it with --output FILE'
  if (!flags.smtp && flags.probe !== undefined && flags.probe !== 'none')
    return `--no-smtp speaks no SMTP, and --probe ${flags.probe} wants it`
  for (const name of names) {
    const read = readDomain(name)
    if (read.kind === 'invalid') return `"${name.slice(0, 300)}" is no domain: ${read.why}${meantDomain(name)}`
  }
  return undefined
}

/** Of a mail address, or of what a browser shows. */
function meantDomain(text: string): string {
  const [, within = ''] = /^(?:[a-z]+:\/\/|[^@\s]*@)([^/:\s]+)/i.exec(text) ?? []
  const read = readDomain(within)
  return read.kind === 'domain' ? `; did you mean "${read.domain}"?` : ''
}

function formatOf({ format, json, output }: CheckFlags): FormatName {
  return format ?? (json ? 'json' : (formatOfFile(output ?? '') ?? 'text'))
}

interface Work {
  readonly source: DomainSource
  readonly checker: Checker
  readonly declared: Declared
  readonly rules: readonly Rule[]
  readonly flags: CheckFlags
  readonly terminal: Terminal
  readonly deps: CheckDeps
}

async function checkAll(work: Work): Promise<ExitCode> {
  const { source, flags, terminal, deps } = work
  const isOne = source.total === 1
  const tally = createTally()
  const status = createStatusLine()
  const format = formatFor(flags, isOne)
  const { output, done } = await openOutput(flags, status, tally)
  const started = { atMs: deps.clock.monotonicMs(), domains: tally.domains }
  let isEmpty = true
  let spent: Progress = { queries: 0, connections: 0, waitsFor: () => undefined }
  const said = () => {
    const tookMs = deps.clock.monotonicMs() - started.atMs
    if (isOne) return spentText(spent, tookMs, deps.clock.monotonicMs())
    const isTold = source.total !== undefined && source.total > 0
    const fraction = isTold ? tally.domains / (source.total ?? 1) : source.fraction()
    return barText(tally.domains - started.domains, fraction, tookMs)
  }
  const progress = createProgress(said, status, terminal, deps.clock, !flags.quiet)
  try {
    await output.write(done ? '' : format.begin())
    const atOnce = flags.concurrency ?? (flags.smtp && flags.probe !== 'none' ? atOnceWithSmtp : atOnceWithoutSmtp)
    await runMany(source.batches, atOnce, async (name) => {
      isEmpty = false
      const asked = askedName(name)
      if (done?.has(asked)) return
      const report = await examine(asked, work, (now) => {
        spent = now
      })
      count(tally, countable(report), flags.failOn)
      await output.write(format.one(report))
    })
    // Of text the end is the table alone; other formats need theirs.
    await output.write(flags.quiet && formatOf(flags) === 'text' ? '' : format.end(tally))
  } finally {
    progress.end()
    await output.close()
  }
  if (isEmpty) {
    terminal.err(`waypost: no domain in ${flags.input === undefined ? 'the configuration' : 'the input'}\n`)
    return 2
  }
  const isTold = flags.output === undefined && formatOf(flags) === 'text'
  if (tally.domains > 1 && !flags.quiet && !isTold)
    terminal.err(`${tallyLines(tally, createPaint(false)).join('\n')}\n`)
  return tally.unknown > 0 ? 2 : tally.failing > 0 ? 1 : 0
}

function formatFor(flags: CheckFlags, isOne: boolean): ReportFormat {
  const { columns, isColored } = outShape()
  const isFile = flags.output !== undefined
  return createFormat(formatOf(flags), {
    columns: isFile ? 100 : columns,
    isColored: !isFile && isColored,
    isWhole: isOne || flags.verbose === true,
    failOn: flags.failOn,
  })
}

async function openOutput(
  { output, resume, overwrite, failOn }: CheckFlags,
  status: StatusLine,
  tally: Tally,
): Promise<{ readonly output: Output; readonly done: Fingerprints | undefined }> {
  if (output === undefined) return { output: standardOutput(() => status.clear()), done: undefined }
  if (resume) return resumedFile(output, (one) => count(tally, one, failOn))
  return { output: await newFile(output, overwrite === true), done: undefined }
}

/** As reports name it, so that a resumed run knows it again. */
function askedName(name: string): string {
  const read = readDomain(name)
  return read.kind === 'domain' ? read.domain : name
}

async function examine(
  name: string,
  { checker, declared, rules, flags }: Work,
  progress: (progress: Progress) => void,
): Promise<DomainReport> {
  const read = readDomain(name)
  if (read.kind === 'invalid') return { kind: 'unexamined', domain: name, why: `it is no domain: ${read.why}` }
  // The questions that a host may mind are for those who declare the domain as theirs.
  const isOwn = declared.domains.has(read.domain)
  const probe = !flags.smtp ? 'none' : (flags.probe ?? (isOwn ? 'full' : 'polite'))
  const declaredExchangers = declared.domains.get(read.domain)
  const context = { gateway: declared.hostname, ...(declaredExchangers ? { declaredExchangers } : {}) }
  return domainReport(await checker.check(read.domain, context, { probe, progress }), rules)
}
