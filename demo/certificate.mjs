// A self-signed certificate for localhost, production.localhost and 127.0.0.1, valid for 30 days.

import { writeFile } from 'node:fs/promises';

import { generate } from 'selfsigned';

import { LOOPBACK } from '../tools/listen.mjs';

const DAY = 24 * 60 * 60 * 1000;

/** Generates a certificate and its private key and writes both as PEM. */
export async function writeCertificate({ certificateFile, keyFile }) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour ago, since the clock of a client, for example in a virtual machine, may be slow.
    notBeforeDate: new Date(Date.now() - DAY / 24),
    notAfterDate: new Date(Date.now() + 30 * DAY),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: 'production.localhost' },
          { type: 7, ip: LOOPBACK },
        ],
      },
    ],
  });
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certificateFile, cert);
}
