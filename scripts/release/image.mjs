// The filter as an OCI image in the form that Istio and Envoy Gateway fetch: one manifest, no index, whose last
// layer is a gzip tar with `plugin.wasm`. What is written is an image layout of the OCI image specification.

import { createHash } from 'node:crypto';

import { gzip, tar } from './archive.mjs';

/** The name by which the fetchers look for the module. */
const MODULE_NAME = 'plugin.wasm';
const CREATED = '1970-01-01T00:00:00Z';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const INDEX = 'application/vnd.oci.image.index.v1+json';

/**
 * The image of a module. `about` has `version`, `revision`, `licenses`, and `source` or `null`. Returns the digest of
 * its manifest and the files of its layout, as a list of `{ name, content }`.
 */
export async function image(module, about) {
  const archive = await tar([{ name: MODULE_NAME, content: module }]);
  const layer = gzip(archive);
  const config = json({
    created: CREATED,
    // The fetchers do not look at it, but tools that copy images want to know.
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digest(archive)] },
    history: [{ created: CREATED, created_by: `bearer-gate ${about.version}` }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(CONFIG, config),
    layers: [descriptor(LAYER, layer)],
    annotations: annotations(about),
  });
  const index = json({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{
      ...descriptor(MANIFEST, manifest),
      annotations: { 'org.opencontainers.image.ref.name': about.version },
    }],
  });
  return {
    digest: digest(manifest),
    files: [
      { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
      { name: 'index.json', content: index },
      ...[manifest, config, layer].map((blob) => ({ name: blobName(blob), content: blob })),
    ],
  };
}

function annotations({ version, revision, source, licenses }) {
  const named = {
    title: 'bearer-gate',
    description: 'An OAuth bearer token gate for Envoy: a proxy-wasm HTTP filter',
    version,
    revision,
    source,
    licenses,
  };
  const given = Object.entries(named).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [`org.opencontainers.image.${name}`, value]));
}

function descriptor(mediaType, blob) {
  return { mediaType, digest: digest(blob), size: blob.length };
}

function digest(blob) {
  return `sha256:${sha256(blob)}`;
}

function blobName(blob) {
  return `blobs/sha256/${sha256(blob)}`;
}

/** The SHA-256 of `content` in hexadecimal digits. */
export function sha256(content) {
  return createHash('sha256').update(content).digest('hex');
}

function json(value) {
  return Buffer.from(JSON.stringify(value));
}
