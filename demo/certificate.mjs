// A certificate for https://localhost and https://127.0.0.1 that signs itself, good for a month.

import { writeFile } from 'node:fs/promises';

import { generate } from 'selfsigned';

import { LOOPBACK } from '../tools/listen.mjs';

const DAY = 24 * 60 * 60 * 1000;

/** Makes a certificate and its private key, and writes both as PEM. */
export async function writeCertificate({ certificateFile, keyFile }) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour back: clocks differ between this machine and, say, a container that runs curl.
    notBeforeDate: new Date(Date.now() - DAY / 24),
    notAfterDate: new Date(Date.now() + 30 * DAY),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: LOOPBACK }],
      },
    ],
  });
  await writeFile(keyFile, key, { mode: 0o600 });
  await writeFile(certificateFile, cert);
}
