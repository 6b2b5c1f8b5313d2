import 'reflect-metadata' // the library's own parts find each other by it
import { webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000

type Keys = webcrypto.CryptoKeyPair
export type Identity = { certificate: string; key: string }
export type Authority = { certificate: string; issue(name: string): Promise<Identity> }

/** An authority of the test's own; a certificate that it issues is good for an hour, for one DNS name. */
export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys()
  const own = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...validity(),
    signingAlgorithm: ALGORITHM,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  return { certificate: own.toString('pem'), issue: (subject) => issue(subject, own, keys) }
}

async function issue(subject: string, by: X509Certificate, signing: Keys): Promise<Identity> {
  const keys = await newKeys()
  const certificate = await X509CertificateGenerator.create({
    subject: `CN=${subject}`,
    issuer: by.subject,
    publicKey: keys.publicKey,
    signingKey: signing.privateKey,
    ...validity(),
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: subject }])],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return {
    certificate: certificate.toString('pem'),
    key: PemConverter.encode(key, 'PRIVATE KEY'),
  }
}

const newKeys = (): Promise<Keys> =>
  webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])

const validity = () => ({
  notBefore: new Date(Date.now() - HOUR_MS), // for a clock that is a little behind
  notAfter: new Date(Date.now() + HOUR_MS),
})
