/**
 * Loaded before the tests of rules (`node --import`): notes of each rule whether it found something in one of them, could not decide in another,
 * and had nothing to say in a third. Written at the end to the file that RECORD_EXAMINATIONS names.
 */
import { writeFileSync } from 'node:fs'
import type { Rule } from '../../src/checks/rule.ts'
import { allRules } from '../../src/checks/rules/all.ts'

export interface Examined {
  finds: boolean
  isUndecided: boolean
  isSilent: boolean
}

export type Examinations = Readonly<Record<string, Examined>>

const seen = new Map<string, Examined>(
  allRules.map(({ id }) => [id, { finds: false, isUndecided: false, isSilent: false }]),
)

for (const rule of allRules as { -readonly [Key in keyof Rule]: Rule[Key] }[]) {
  const examine = rule.examine.bind(rule)
  rule.examine = (facts, context) => {
    const verdicts = examine(facts, context)
    const record = seen.get(rule.id)
    if (record) {
      record.finds ||= verdicts.some(({ kind }) => kind === 'fault')
      record.isUndecided ||= verdicts.some(({ kind }) => kind === 'undecided')
      record.isSilent ||= verdicts.length === 0
    }
    return verdicts
  }
}

process.once('exit', () =>
  writeFileSync(process.env.RECORD_EXAMINATIONS ?? '', JSON.stringify(Object.fromEntries(seen))),
)
