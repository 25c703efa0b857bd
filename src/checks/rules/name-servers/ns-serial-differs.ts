/** Copies of the zone have different serials: one server is behind. Page: docs/checks/ns-serial-differs.md */
import { isNewerSerial } from '../../../dns/serial.ts'
import { plainName, serverSubject } from '../../read-facts.ts'
import { answerOf, isAuthoritative, serialOf } from '../../server-answers.ts'
import { counted, duration, serverText } from '../../wording.ts'
import { zoneRule } from './zone-rule.ts'

export const nsSerialDiffers = zoneRule({
  id: 'ns-serial-differs',
  title: 'name server with an old copy of the zone',
  rfc: ['RFC 1034 §4.3.5', 'RFC 1982 §3.2'],

  examineZone(zone) {
    const known = zone.servers.flatMap((server) => {
      const serial = serialOf(server, zone)
      return serial !== undefined && isAuthoritative(answerOf(server, zone.apex, 'SOA')) ? [{ server, serial }] : []
    })
    const newest = known.reduce(
      (best, one) => (best === undefined || isNewerSerial(one.serial, best.serial) ? one : best),
      known[0],
    )
    if (!newest) {
      if (zone.servers.length === 0) return []
      const why = `No name server of ${plainName(zone.apex)} told its serial.`
      return [{ kind: 'undecided', subject: { kind: 'zone', name: plainName(zone.apex) }, reason: 'no-answer', why }]
    }
    const soa = answerOf(newest.server, zone.apex, 'SOA')
    const refresh = soa.kind === 'answer' ? (soa.records[0]?.data.refreshSeconds ?? 0) : 0
    return known
      .filter(({ serial }) => serial !== newest.serial)
      .map(({ server, serial }) => ({
        kind: 'fault',
        severity: 'notice',
        subject: serverSubject(zone, server),
        seen: `${serverText(server)} has the serial ${serial} of ${plainName(zone.apex)}; ${serverText(newest.server)} has ${newest.serial}, ${counted((newest.serial - serial) >>> 0, 'step')} further.`,
        why: 'During a change that is normal for some minutes. If it stays, part of the senders sees old records, until the copy expires and the server refuses to answer.',
        remedy: {
          text: `Ask again after ${duration(refresh)} (the refresh time of the zone). If it is still behind, see that ${plainName(server.name)} may transfer the zone and hears NOTIFY; and that the serial only ever grows.`,
        },
        data: { server: plainName(server.name), address: server.address, serial, newest: newest.serial },
      }))
  },
})
