/** Names, addresses and the moment of the facts that rules are tested with. A text that is none of these is a bug of the test. */
import { labAddress, labHost, labName } from '../../lab/names.ts'

/** When the facts were collected: 2026-03-01 12:00 UTC. */
export const collectedMs = Date.UTC(2026, 2, 1, 12)

// Short, because the tests of rules say them in every other line.
export const wire = labName
export const host = labHost
export const ip = labAddress
