// A client with a certificate.

import { request } from 'node:https';

/**
 * Sends a request over a connection of its own to `port` of this machine, as a client with `certificate`, which may be
 * `null`. Returns `{ status, headers, body }`.
 */
export function send({ port, path, authority, certificate, method = 'GET', headers = {}, body }) {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: 'localhost', family: 4, port, path, method, headers,
      agent: false,
      ca: authority.cert, cert: certificate?.cert, key: certificate?.key,
    }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString(),
      }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
