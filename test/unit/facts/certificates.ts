/** Certificates of the facts that rules are tested with: a root, an intermediate one, and one for each host. */
import { type Issued, makeCertificate } from '../certificate-maker.ts'
import { collectedMs } from './names.ts'

export const root: Issued = makeCertificate({
  name: 'Root of tests',
  isCa: true,
  nowMs: collectedMs,
  notAfterMs: collectedMs + 10 * 365 * 86_400_000,
})
export const intermediate: Issued = makeCertificate({
  name: 'Intermediate of tests',
  isCa: true,
  issuer: root,
  nowMs: collectedMs,
  notAfterMs: collectedMs + 5 * 365 * 86_400_000,
})
/** A good certificate, valid from 1 day before until 89 days behind `collectedMs`. */
export const leafFor = (name: string, more: Partial<Parameters<typeof makeCertificate>[0]> = {}): Issued =>
  makeCertificate({ name, issuer: intermediate, nowMs: collectedMs, ...more })

const ofFaultless = new Map(
  ['mx1.example.com', 'mx2.example.com', 'mta-sts.example.com'].map((name) => [name, leafFor(name)]),
)

/** Of a host of the faultless domain always the same one. */
export const leafOf = (host: string): Issued => ofFaultless.get(host) ?? leafFor(host)
