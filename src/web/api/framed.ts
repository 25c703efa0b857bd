/** A document of others, or with words of others in it, for a frame in a page of ours. Used by `messages.ts` and `checks.ts`. */
import { mailPolicy } from '../policy.ts'
import type { Answered, SiteContext } from '../site.ts'

export function framed(context: SiteContext, html: string): Answered<never> {
  context.header('content-security-policy', mailPolicy)
  context.header('x-frame-options', 'SAMEORIGIN')
  return { kind: 'response', response: context.html(html) as Response }
}
