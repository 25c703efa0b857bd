/**
 * By which names in CAA records the large authorities go (RFC 8659 §4.2), found by the organisation in the issuer of a certificate. From their
 * published practice statements; one that is not here is not judged. Used by `caa-forbids-issuer.ts`.
 */

const names: readonly (readonly [organisation: RegExp, caaNames: readonly string[]])[] = [
  [/^(?:\(STAGING\) )?Let's Encrypt$/i, ['letsencrypt.org']],
  [/^Google Trust Services(?: LLC)?$/i, ['pki.goog', 'google.com']],
  [
    /^(?:DigiCert|GeoTrust|Thawte|RapidSSL|QuoVadis)\b/i,
    [
      'digicert.com',
      'www.digicert.com',
      'digicert.ne.jp',
      'cybertrust.ne.jp',
      'symantec.com',
      'thawte.com',
      'geotrust.com',
      'rapidssl.com',
      'quovadisglobal.com',
      'amazon.com',
    ],
  ],
  [
    /^(?:Sectigo|COMODO|The USERTRUST Network)\b/i,
    ['sectigo.com', 'comodo.com', 'comodoca.com', 'usertrust.com', 'trust-provider.com'],
  ],
  [/^ZeroSSL\b/i, ['sectigo.com', 'zerossl.com']],
  [/^Amazon\b/i, ['amazon.com', 'amazontrust.com', 'awstrust.com', 'amazonaws.com']],
  [/^(?:GoDaddy\.com|Starfield Technologies)\b/i, ['godaddy.com', 'starfieldtech.com']],
  [/^GlobalSign\b/i, ['globalsign.com']],
  [/^Entrust\b/i, ['entrust.net', 'affirmtrust.com']],
  [/^Actalis\b/i, ['actalis.it']],
  [/^(?:SSL Corporation|SSL\.com)\b/i, ['ssl.com']],
  [/^Buypass\b/i, ['buypass.com', 'buypass.no']],
  [/^(?:HARICA|Hellenic Academic and Research Institutions)\b/i, ['harica.gr']],
  [/^(?:Microsoft Corporation)\b/i, ['microsoft.com']],
  [/^(?:Deutsche Telekom|T-Systems|D-Trust)\b/i, ['telesec.de', 'd-trust.net', 'd-trust.de', 'dtrust.de']],
  [/^SwissSign\b/i, ['swisssign.com', 'swisssign.net', 'swissign.com', 'swisssign.ch']],
  [/^(?:Certum|Asseco|Unizeto)\b/i, ['certum.pl', 'certum.eu', 'yandex.ru']],
  [/^IdenTrust\b/i, ['identrust.com']],
]

/** @param issuer  as Node writes it, one attribute a line */
export function caaNamesOf(
  issuer: string,
): { readonly organisation: string; readonly names: readonly string[] } | undefined {
  const organisation = /^O=(.*)$/m.exec(issuer)?.[1]
  const found = organisation === undefined ? undefined : names.find(([pattern]) => pattern.test(organisation))
  return organisation === undefined || !found ? undefined : { organisation, names: found[1] }
}
