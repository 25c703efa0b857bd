/** Who may do what. Each may all that stands before it. */
export const roles = ['view', 'read', 'operate'] as const

/**
 * - `view`: everything but the mail itself: states, addresses, findings, history.
 * - `read`: the text of held mail too.
 * - `operate`: every action too.
 */
export type Role = (typeof roles)[number]

/**
 * What a route asks for. `public` holds nothing of ours and is served to everybody: the way in. `glance` is counts and states, for whoever
 * is on this machine.
 */
export type Access = 'public' | 'glance' | Role

const order: readonly Access[] = ['public', 'glance', ...roles]

export const isEnough = (has: Access, wanted: Access): boolean => order.indexOf(has) >= order.indexOf(wanted)
