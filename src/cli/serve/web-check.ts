/** One check that somebody started in the dashboard: as `waypost check` would, with the resolver and the name of this gateway. Called by `web-service.ts`. */
import { systemClock } from '../../base/clock.ts'
import { systemDoor } from '../../base/door.ts'
import { systemRandom } from '../../base/random.ts'
import { type CheckerOptions, createChecker } from '../../checks/check-domain.ts'
import { type DomainReport, domainReport } from '../../checks/report/domain-report.ts'
import { allRules } from '../../checks/rules/all.ts'
import type { Loaded } from '../../config/load.ts'
import { type HostName, rootName } from '../../dns/name.ts'

/** @param domain  in its canonical form */
export async function checkForPage(
  domain: string,
  onStep: (words: string) => void,
  { settings, publishing }: Loaded,
  options: CheckerOptions,
): Promise<DomainReport> {
  const name = domain as HostName
  const declaration = publishing.declarations.find((each) => each.domain === name)
  const isOwn = declaration !== undefined || settings.destinations.domains.some((each) => each.name === name)
  const exchangers = declaration?.exchangers === 'none' ? [{ host: rootName, preference: 0 }] : declaration?.exchangers
  const checker = createChecker(options, { clock: systemClock, random: systemRandom, door: systemDoor })
  try {
    const context = { gateway: settings.hostname, ...(exchangers ? { declaredExchangers: exchangers } : {}) }
    // The questions that a host may mind are for those who declare the domain as theirs.
    const checked = await checker.check(name, context, { probe: isOwn ? 'full' : 'polite', onStep })
    onStep(`what was seen was judged by ${allRules.length} rules`)
    return domainReport(checked, allRules)
  } finally {
    checker.close()
  }
}
