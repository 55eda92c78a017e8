// Envoy with an example configuration of envoy/. Only names, addresses and files are replaced.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ENVOY, GATE_WASM, ROOT, requireFiles } from '../../../tools/checkout.mjs';
import { Envoy } from '../../../tools/envoy.mjs';
import { LOOPBACK } from '../../../tools/listen.mjs';

const STATE = join(ROOT, 'target/tmp/bound-tokens');

/** A cluster with one endpoint on the loopback address. */
function cluster(name, port) {
  const endpoint = { address: { socket_address: { address: LOOPBACK, port_value: port } } };
  return {
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

/** `text` with the replacements made, each of which must apply. */
function replaced(text, replacements) {
  return replacements.reduce((result, [from, to]) => {
    if (!result.includes(from)) {
      throw new Error(`the example does not contain ${from}`);
    }
    return result.replaceAll(from, to);
  }, text);
}

/**
 * Starts Envoy with the example `file`. `name` is for the files of this run. `ports` has those of the listener, of the
 * authorization server and of the upstream; `urls` has how clients call the API, and the issuer. `replacements` are
 * further ones, pairs of texts, and `environment` is for the filter. Returns `{ envoy, configuration }`, the second the
 * file with the configuration of this run.
 */
export async function startExample(processes, {
  file, name, ports, urls, replacements = [], environment = {},
}) {
  requireFiles([[GATE_WASM, 'make build'], [ENVOY, 'make envoy']]);
  await mkdir(STATE, { recursive: true });
  const path = (extension) => join(STATE, `${name}.${extension}`);
  const [listeners] = (await readFile(join(ROOT, 'envoy', file), 'utf8')).split('\n  clusters:\n');
  const clusters = [cluster('issuer', ports.issuer), cluster('upstream', ports.upstream)];
  const text = replaced(listeners, [
    ['https://issuer.example', urls.issuer],
    ['https://api.example', urls.api],
    ['port_value: 9901', 'port_value: 0'],
    ['address: 0.0.0.0, port_value: 8', `address: ${LOOPBACK}, port_value: 8`],
    ...replacements,
  ]).replace(/(address: 127\.0\.0\.1, port_value: )8\d+/, `$1${ports.api}`);
  await writeFile(path('yaml'), `${text}\n  clusters: ${JSON.stringify(clusters)}\n`);
  const envoy = await Envoy.start(processes, {
    config: path('yaml'), logFile: path('log'), adminFile: path('admin'), environment,
  });
  return { envoy, configuration: path('yaml') };
}
