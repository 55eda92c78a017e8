// Certificates of the server and of clients, made for each run.

import { generate } from 'selfsigned';

const HOUR = 60 * 60 * 1000;

const common = () => ({
  keyType: 'ec',
  curve: 'P-256',
  algorithm: 'sha256',
  notBeforeDate: new Date(Date.now() - HOUR),
  notAfterDate: new Date(Date.now() + 24 * HOUR),
});

const subject = (name) => [{ name: 'commonName', value: name }];

/** A certificate authority: `{ cert, key }` in PEM. */
export async function makeAuthority() {
  const { cert, private: key } = await generate(subject('authority'), {
    ...common(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return { cert, key };
}

/** A certificate for `localhost` and for clients with this name, signed by `authority`: `{ cert, key }` in PEM. */
export async function issue(authority, name) {
  const { cert, private: key } = await generate(subject(name), {
    ...common(),
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] },
    ],
  });
  return { cert, key };
}
