/** What somebody did through the page, in a sentence for the history: from the call and what its line in the log says of it. Called by `site.ts`. */
import type { Fields } from '../base/log.ts'
import { type Deed, deedText, isAct } from '../gateway/operate/deed.ts'

/** @returns undefined where it changed nothing that anybody would look for later */
export function actionWords(path: string, by: string, fields: Fields): string | undefined {
  const deed = deedOf(path, fields)
  return deed && deedText(deed, by === 'link' ? 'somebody with the link' : by)
}

function deedOf(path: string, { act, backend, messages, wasSo }: Fields): Deed | undefined {
  if (wasSo === true) return undefined
  switch (path) {
    case '/api/backends/out':
      return { kind: 'backend-out', backend: String(backend) }
    case '/api/backends/in':
      return { kind: 'backend-in', backend: String(backend) }
    case '/api/queue/act':
      return isAct(act) ? { kind: 'act', act, messages: Number(messages ?? 0) } : undefined
    default:
      return undefined
  }
}
