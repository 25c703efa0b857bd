/** What each view is handed by `app.ts`, and what whoever looks may do. */
import type { Self } from '../api/session.ts'

/** What a view is given. */
export interface Stage {
  readonly main: HTMLElement
  readonly self: Self
  /** The part of the address behind the view's name, `example.com` of `/domains/example.com`. */
  readonly name: string
  /** Goes there as a link does. */
  readonly go: (path: string) => void
  /** For who cannot see what changed. */
  readonly say: (text: string) => void
  /** Runs when another view is shown. */
  readonly atEnd: (run: () => void) => void
}

export const mayRead = ({ role }: Self): boolean => role === 'read' || role === 'operate'
export const mayAct = ({ role }: Self): boolean => role === 'operate'
