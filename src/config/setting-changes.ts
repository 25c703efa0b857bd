/** What a reload changed beside domains, in a few words, for `cli/serve/reload.ts`: where mail is taken, and which keys of waypost.yaml are others now. */
import { isDeepStrictEqual } from 'node:util'
import { placeText } from './listen.ts'
import type { Loaded } from './load.ts'
import type { PlannedCertificates } from './plan.ts'

type Told = Pick<Loaded, 'said' | 'listeners' | 'certificates'>

/** Such as `listens on 0.0.0.0:25 now`, `log, alerts changed`, `tls has another certificate now, for …`; none where all is as it was. Whether what follows the gateway could follow is not told here. */
export function settingChanges(before: Told, after: Told): readonly string[] {
  const [old, now] = [smtpPlaces(before), smtpPlaces(after)]
  const came = now.filter((place) => !old.includes(place))
  const went = old.filter((place) => !now.includes(place))
  const moves = [
    ...(came.length > 0 ? [`listens on ${came.join(', ')} now`] : []),
    ...(went.length > 0 ? [`${came.length > 0 ? 'no longer' : 'listens no longer'} on ${went.join(', ')}`] : []),
  ]
  const keys = changedKeys(before.said, after.said)
  return [
    ...(moves.length > 0 ? [moves.join(', ')] : []),
    ...(keys.length > 0 ? [`${keys.join(', ')} changed`] : []),
    ...renewed(before.certificates, after.certificates),
  ]
}

/** Under the same path or another: the file itself is what counts. */
const renewed = (before: PlannedCertificates, after: PlannedCertificates) =>
  Object.entries(after).flatMap(([key, { fingerprint, words }]) =>
    (before[key]?.fingerprint ?? fingerprint) === fingerprint ? [] : [`${key} has another certificate now, ${words}`],
  )

const smtpPlaces = ({ listeners }: Told) => listeners.filter(({ kind }) => kind === 'smtp').map(placeText)

/** In the order of the new file. Of `listen` each key by itself, without where mail is taken: that is told by its places. */
function changedKeys(before: Loaded['said'], after: Loaded['said']): readonly string[] {
  const [old, now] = [byKey(before), byKey(after)]
  const keys = new Set([...now.keys(), ...old.keys()])
  return [...keys].filter((key) => !isDeepStrictEqual(old.get(key), now.get(key)))
}

function byKey({ listen, ...rest }: Loaded['said']): ReadonlyMap<string, unknown> {
  const ofListen = Object.entries(listen ?? {}).filter(([key]) => key !== 'smtp')
  return new Map([...Object.entries(rest), ...ofListen.map(([key, value]) => [`listen.${key}`, value] as const)])
}
