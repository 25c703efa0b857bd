/** NSD as these benchmarks run it: one process, no limit on its rate, everything in a folder that goes afterwards. */

/**
 * @param places  `192.0.2.1@53`
 * @param zones  with the file of each, in `zoneFolder`
 */
export const nsdSettings = (
  folder: string,
  places: readonly string[],
  zoneFolder: string,
  zones: readonly (readonly [name: string, file: string])[],
): string => `server:
${places.map((place) => `  ip-address: ${place}`).join('\n')}
  username: ""
  zonesdir: "${zoneFolder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  zonelistfile: "${folder}/zone.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  server-count: 1
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
${zones.map(([name, file]) => `zone:\n  name: ${name}\n  zonefile: ${file}`).join('\n')}
`
