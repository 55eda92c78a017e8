// The metadata document of a protected resource (RFC 9728), which the gate serves and its challenges name.

import { element, showJson } from './dom.mjs';

/** Loads a document. Throws if there is none. The gate lets pages of every origin read it. */
async function load(url) {
  const response = await fetch(url, {
    credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
  });
  if (!response.ok) {
    throw new Error(`the server answered ${response.status}`);
  }
  return response.json();
}

/** The document at `url`, which is filled in when it is loaded. */
export function metadataBlock(url) {
  const explanation = element('p', { class: 'note' }, 'Loading …');
  const pre = element('pre', {
    id: 'metadata', tabindex: '0', 'aria-label': 'Metadata document', hidden: '',
  });
  load(url).then((document) => {
    explanation.textContent = 'The challenge names this document, which the gate serves to everyone. It '
      + 'tells a client which authorization servers issue tokens for the resource, and with which scopes.';
    showJson(pre, document);
    pre.hidden = false;
  }).catch((error) => {
    explanation.textContent = `It cannot be loaded: ${error.message}.`;
  });
  return element('section', { 'aria-label': 'Metadata' },
    element('h3', {}, 'Metadata document'), explanation, pre);
}
