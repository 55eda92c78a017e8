// `make schema`: writes the schema of the Helm chart's values, in which `config` is the filter's configuration.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../tools/checkout.mjs';

const OURS = join(ROOT, 'docs/bearer-gate.schema.json');
const CHART = join(ROOT, 'deploy/helm/bearer-gate/values.schema.json');

// Some limits are too large for the numbers of JavaScript. They pass through as strings with this mark.
const MARK = 'integer:';
const text = (await readFile(OURS, 'utf8')).replace(/: (-?\d{16,})(?=[,\n])/g, `: "${MARK}$1"`);
const { $schema, $defs, ...config } = JSON.parse(text);
const schema = {
  $schema,
  type: 'object',
  additionalProperties: false,
  properties: {
    global: { type: 'object' },
    platform: { enum: ['istio-gateway', 'istio-sidecar', 'istio-waypoint', 'envoy-gateway'] },
    image: {
      type: 'object',
      additionalProperties: false,
      required: ['url'],
      properties: {
        url: { type: 'string', minLength: 1, not: { pattern: '://' } },
        sha256: { type: 'string', pattern: '^([0-9a-f]{64})?$' },
        pullSecret: { type: 'string' },
      },
    },
    selector: { type: 'object', additionalProperties: { type: 'string' } },
    gateway: { type: 'string', minLength: 1 },
    hosts: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'port'],
        properties: {
          name: { type: 'string', minLength: 1 },
          port: { type: 'integer', minimum: 1, maximum: 65535 },
        },
      },
    },
    failStrategy: { enum: ['FAIL_RELOAD', 'FAIL_CLOSE'] },
    hostEnvironment: { type: 'array', items: { type: 'string', minLength: 1 } },
    // It is empty by default; the template says that providers are missing.
    config: { type: 'object', if: { maxProperties: 0 }, else: config },
  },
  $defs,
};
const written = JSON.stringify(schema).replace(new RegExp(`"${MARK}(-?\\d+)"`, 'g'), '$1');
await writeFile(CHART, `${written}\n`);
