// The ways in which the console can send a call: as it should be, or with a mistake. Each has
//
//   id, label  for the choice
//   suits      whether it can be chosen for an API and the token in use, which may be `null`
//   url        the URL that the call is sent to, from the one that Swagger UI has made
//   headers    the headers that carry the credential, from the call `{token, key, method, url}`, whose token may
//              be `null`; `key` makes proofs if the token is bound to it; it may return a promise

import { ProofKey } from './proof.mjs';

const always = () => true;
const same = (url) => url;
const bearer = ({ token }) => (token ? { Authorization: `Bearer ${token}` } : {});
const proven = (token, proof) => ({ Authorization: `DPoP ${token}`, DPoP: proof });
const correct = async ({ token, key, method, url }) => (
  key ? proven(token, await key.prove({ method, url, token })) : bearer({ token }));
const isBound = (_api, token) => Boolean(token?.key);

/** Stands for a token where a mistake is to be shown before there is one. */
const NO_TOKEN = 'no-token';

export const VARIATIONS = [
  {
    id: 'normal',
    label: 'correctly',
    suits: always,
    url: same,
    headers: correct,
  },
  {
    id: 'malformed',
    label: 'with quotes around the token',
    suits: always,
    url: same,
    headers: ({ token }) => ({ Authorization: `Bearer "${token ?? NO_TOKEN}"` }),
  },
  {
    id: 'twice',
    label: 'with two tokens',
    suits: always,
    url: same,
    headers: ({ token }) => ({
      Authorization: `Bearer ${token ?? NO_TOKEN}, Bearer ${token ?? NO_TOKEN}`,
    }),
  },
  {
    id: 'production',
    label: 'to the production host',
    suits: (api) => Boolean(api.productionHost),
    url(url, api) {
      const changed = new URL(url);
      changed.hostname = api.productionHost;
      return changed.href;
    },
    headers: correct,
  },
  {
    id: 'stolen-token',
    label: 'as a thief who has the token',
    suits: isBound,
    url: same,
    headers: bearer,
  },
  {
    id: 'stolen-request',
    label: 'as a thief who has seen the last request',
    suits: isBound,
    url: same,
    headers: async ({ token, key, method, url }) => (
      proven(token, key.last ?? await key.prove({ method, url, token }))),
  },
  {
    id: 'other-key',
    label: 'as a thief with another key',
    suits: isBound,
    url: same,
    headers: async ({ token, method, url }) => (
      proven(token, await (await ProofKey.generate()).prove({ method, url, token }))),
  },
];
