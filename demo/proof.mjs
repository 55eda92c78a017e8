// Prints a proof of possession (DPoP, RFC 9449) for METHOD URL [TOKEN], signed with the key in the file KEY, which is
// made if it is missing:
//
//   node demo/proof.mjs KEY METHOD URL [TOKEN]

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose';

const [file, method, url, token] = process.argv.slice(2);
if (!existsSync(file)) {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  writeFileSync(file, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
}
const key = JSON.parse(readFileSync(file, 'utf8'));
const { d: secret, ...jwk } = key;
const ath = token && createHash('sha256').update(token).digest('base64url');
process.stdout.write(`${await new SignJWT({ htm: method, htu: url, ath })
  .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
  .setJti(randomUUID())
  .setIssuedAt()
  .sign(await importJWK(key, 'ES256'))}\n`);
