/** What somebody did through the page, in a sentence for the history: from the call and what its line in the log says of it. Called by `site.ts`. */
import type { Fields } from '../base/log.ts'

const acts: Readonly<Record<string, string>> = {
  retry: 'tried again',
  hold: 'kept back',
  release: 'let go',
  route: 'sent another way',
  remove: 'removed',
}

/** @returns undefined where it changed nothing that anybody would look for later */
export function actionWords(path: string, by: string, fields: Fields): string | undefined {
  const who = by === 'link' ? 'Somebody with the link' : by
  switch (path) {
    case '/api/backends/out':
      return `${who} took ${String(fields.backend)} out of service`
    case '/api/backends/in':
      return `${who} put ${String(fields.backend)} back into service`
    case '/api/queue/act': {
      const messages = Number(fields.messages ?? 0)
      const what = acts[String(fields.act)]
      if (messages === 0 || what === undefined) return undefined
      return `${messages.toLocaleString('en')} held message${messages === 1 ? '' : 's'} ${what} by ${who === by ? by : 'somebody with the link'}`
    }
    default:
      return undefined
  }
}
