/** The keys of a domain and of `defaults:`, put together of what two rooms declare: where its mail goes, and what is published of it. */
import type { z } from 'zod'
import { section, table } from '../base/option.ts'
import { publishDefaultOptions, publishDomainOptions } from '../publish/options.ts'
import { routingOptions } from '../routing/options.ts'

const { domains, defaults } = routingOptions

/** One entry under `domains:`. */
export const domainOptions = section(
  'A mail domain.',
  {
    ...domains.unwrap().valueType.shape,
    ...publishDomainOptions,
  },
  '{ deliver: smtp://mail.example.com }',
)

/** `domains:` */
export const domainsTable = table(
  'The domains that Waypost looks after. `deliver` has it take their mail, `exchangers` has it publish their records. `"*.example.com"` covers subdomains, and not example.com itself; YAML wants the quotes.',
  'domains, such as "example.org: { deliver: mx }"',
  domainOptions,
).prefault({})

/** `defaults:` */
export const defaultOptions = section('What domains share, each of which may say otherwise.', {
  ...defaults.unwrap().shape,
  ...publishDefaultOptions,
}).prefault({})

export type DomainOptions = z.output<typeof domainOptions>
export type DefaultOptions = z.output<typeof defaultOptions>
