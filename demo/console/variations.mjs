// The ways in which the console can send a call: as it should be, or with a mistake. Each has
//
//   id, label  for the choice
//   suits      whether an API has it
//   url        the URL that the call is sent to, from the one that Swagger UI has made
//   headers    the headers that carry the credential, from the call `{token, method, url}`, whose token may be
//              `null`; it may return a promise

const always = () => true;
const same = (url) => url;
const bearer = ({ token }) => (token ? { Authorization: `Bearer ${token}` } : {});

/** Stands for a token where a mistake is to be shown before there is one. */
const NO_TOKEN = 'no-token';

export const VARIATIONS = [
  {
    id: 'normal',
    label: 'correctly',
    suits: always,
    url: same,
    headers: bearer,
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
    headers: bearer,
  },
];
