// The scenarios that are measured.

import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { COMPARED, FILTERS, otherOf } from './filters.mjs';

const CHECKING = COMPARED.filter((name) => FILTERS[name].checks);
/** The number of different bad tokens of a scenario. */
const REFUSED_TOKENS = 2000;

/**
 * A scenario; `fields` has what differs from the defaults.
 *
 * - `tokens`: the kind of token, or `null` for none. `distinct` tokens are sent in turn, again and again,
 *   or every request has a `fresh` token, which the filter has not seen.
 * - `status`: the status of the filters that check tokens.
 * - `alg`, `keys`: the algorithm of the key set and its size. `remote`: it is fetched, `once`, or `often`: every second; or it
 *   is `rotating`: fetched every second, and each time it has another key beside the one in use.
 * - `providers`, `rules`: their numbers; requests use the last. `anyProvider`: the rule accepts all of them.
 * - `cache`: the entries of the cache if the default is too small.
 * - `bound`: the token is bound to its sender: the algorithm of the proofs, one for each request, or `certificate`; or
 *   `bearer`, if nobody checks that.
 * - `features`, `upstream`, `workers`: scopes and forwarded claims; a cluster behind Envoy; Envoy's workers.
 * - `waiting`: so many requests arrive at once and wait for the introspection of their tokens.
 * - `paced`: the latency at a fixed rate is measured. `quick`: it is part of a quick run.
 */
function scenario(name, group, title, fields) {
  const complete = {
    name,
    group,
    title,
    tokens: 'RS256',
    fresh: false,
    bound: null,
    distinct: 1,
    status: 200,
    alg: 'RS256',
    keys: 1,
    remote: null,
    providers: 1,
    anyProvider: false,
    rules: 1,
    cache: null,
    features: false,
    upstream: false,
    workers: 1,
    waiting: 0,
    filters: COMPARED,
    paced: false,
    quick: false,
    ...fields,
  };
  // Fresh tokens are verified, so the key set must have their algorithm.
  return { ...complete, alg: fields.fresh && !fields.bound ? complete.tokens : complete.alg };
}

const refused = (name, title, tokens, fields = {}) => scenario(`bad-${name}`, 'refused', title, {
  tokens, distinct: REFUSED_TOKENS, status: 401, ...fields,
});
const growth = (what, sizes, title, fields) => sizes.map((size) => scenario(
  `${what}-${size}`, what, title(size), { filters: CHECKING, ...fields(size) },
));
const number = (value) => value.toLocaleString('en');

/** The titles of the groups of scenarios. */
export const GROUPS = {
  seen: 'Tokens seen before',
  new: 'Every token new',
  refused: 'Requests that are refused',
  bound: 'Tokens that are bound to their senders',
  rich: 'With scopes and forwarded claims',
  upstream: 'With an upstream',
  workers: 'Two workers',
  providers: 'Growth with providers',
  'any-provider': 'Growth with alternative providers',
  rules: 'Growth with rules',
  keys: 'Growth with keys in a set, every token new',
  cached: 'Growth with tokens in the cache',
  revocation: 'With a revocation list',
  waiting: 'Growth with waiting requests',
  latency: 'Latency',
};

/** The number of requests of a round in which requests wait. At most 1,024 may wait in a worker. */
export const CROWD = 960;

/** bearer-gate without a list, with a short one, and with a long one. */
const LISTED = ['gate', 'gate-short-list', 'gate-long-list'];

export const SCENARIOS = [
  scenario('warm-1', 'seen', '1 token', { quick: true }),
  ...[1_000, 50_000].map((distinct) => scenario(
    `warm-${distinct}`, 'seen', `${number(distinct)} tokens`, { distinct, cache: sized(distinct) },
  )),
  ...['RS256', 'ES256', 'PS256', 'EdDSA'].map((alg) => scenario(
    `cold-${alg.toLowerCase()}`, 'new', alg, { tokens: alg, fresh: true, quick: /^.S256$/.test(alg) && alg !== 'PS256' },
  )),
  refused('missing', 'no token', null, { quick: true }),
  refused('garbage', 'garbage', 'garbage', { quick: true }),
  refused('expired', 'expired', 'expired'),
  refused('unknown-kid', 'unknown kid', 'unknown-kid', { remote: 'once' }),
  refused('signature', 'bad signature', 'bad-signature'),
  scenario('bound-bearer', 'bound', 'nothing is checked', { bound: 'bearer' }),
  scenario('bound-certificate', 'bound', 'to a certificate', { bound: 'certificate' }),
  ...['ES256', 'RS256', 'EdDSA'].map((alg) => scenario(
    `bound-${alg.toLowerCase()}`, 'bound', `DPoP, ${alg}`, { bound: alg, fresh: true },
  )),
  scenario('rich-warm', 'rich', '1 token', { features: true, upstream: true }),
  scenario('rich-cold', 'rich', 'every token new', { features: true, upstream: true, fresh: true }),
  scenario('upstream-warm', 'upstream', '1 token', { upstream: true }),
  scenario('upstream-cold', 'upstream', 'every token new', {
    upstream: true, fresh: true, tokens: 'ES256',
  }),
  scenario('workers-warm', 'workers', '1 token', { workers: 2 }),
  scenario('workers-cold', 'workers', 'every token new', {
    workers: 2, fresh: true, tokens: 'ES256',
  }),
  ...growth('providers', [1, 4, 16, 64], plural('provider'), (providers) => ({ providers })),
  ...growth('any-provider', [2, 4, 16, 64], (size) => `any of ${size}`, (providers) => ({
    providers, anyProvider: true,
  })),
  ...growth('rules', [1, 10, 100, 1_000], plural('rule'), (rules) => ({ rules })),
  ...growth('keys', [1, 10, 100], plural('key'), (keys) => ({
    keys, fresh: true, tokens: 'ES256',
  })),
  ...growth('cached', [1, 100, 1_000, 10_000, 50_000], plural('token'), (distinct) => ({
    distinct, cache: sized(distinct), filters: ['native-cached', 'gate'],
  })),
  scenario('revocation-warm', 'revocation', '1 token', { filters: LISTED }),
  scenario('revocation-cold', 'revocation', 'every token new', { filters: LISTED, fresh: true }),
  ...[['opaque', 'opaque, 7 KB'], ['unsigned', 'JWT, 8 KB']].flatMap(([tokens, what]) => (
    [60, CROWD].map((waiting) => scenario(
      `waiting-${waiting}-${tokens}`, 'waiting', `${waiting} at once, ${what}`, {
        tokens, waiting, filters: ['gate'],
      },
    )))),
  ...[
    ['steady', 'the key set is fetched once', 'once'],
    ['refetch', 'it is fetched every second', 'often'],
    ['rotation', 'it is fetched every second and always differs', 'rotating'],
  ].map(([name, title, remote]) => scenario(`latency-${name}`, 'latency', title, {
    remote, keys: 2, paced: true, filters: CHECKING,
  })),
];

/** The cache size for a number of tokens; `null` if the default is enough. */
function sized(distinct) {
  return distinct > 4096 ? distinct : null;
}

function plural(word) {
  return (size) => `${number(size)} ${word}${size === 1 ? '' : 's'}`;
}

/**
 * The names by which `ONLY` selects what is no scenario: start-up and memory with several numbers of workers; memory
 * of cached tokens and revocation lists.
 */
const START = 'start';
const MEMORY = 'memory';

/**
 * What a run measures: `{ scenarios, start, memory }`. `only` has names, groups or first words of names.
 * Throws a `Failure` if a name matches nothing.
 */
export function chosen({ quick, only, filters, compare }) {
  const matches = (wanted) => ({ name, group }) => (
    name === wanted || group === wanted || name.startsWith(`${wanted}-`));
  const unknown = only.find((wanted) => ![START, MEMORY].includes(wanted) && !SCENARIOS.some(matches(wanted)));
  if (unknown) {
    throw new Failure(`ONLY=${unknown} matches no scenario; bench/scenarios.mjs has their names`, {
      exitCode: NOT_STARTED,
    });
  }
  const unknownFilter = filters.find((name) => !(name in FILTERS));
  if (unknownFilter) {
    throw new Failure(`FILTERS=${unknownFilter} is no filter; bench/filters.mjs has their names`, {
      exitCode: NOT_STARTED,
    });
  }
  if (compare !== null && filters.length > 0 && !filters.some((name) => otherOf(name))) {
    throw new Failure('FILTERS must have a filter that runs bearer-gate, such as gate, to compare', {
      exitCode: NOT_STARTED,
    });
  }
  const scenarios = SCENARIOS
    .filter((each) => (only.length > 0
      ? only.some((wanted) => matches(wanted)(each))
      : each.quick || !quick))
    .map((each) => ({ ...each, filters: selected(each.filters, { filters, compare }) }))
    .filter((each) => each.filters.length > 0);
  const everything = only.length === 0 && (compare !== null || !quick);
  return {
    scenarios, start: everything || only.includes(START), memory: everything || only.includes(MEMORY),
  };
}

/**
 * The filters out of `names` that a run measures: all, or those in `filters`. The default of a comparison
 * is bearer-gate only. A comparison measures each filter that runs bearer-gate with both modules.
 */
export function selected(names, { filters, compare }) {
  const wanted = names.filter((name) => (filters.length > 0
    ? filters.includes(name)
    : compare === null || otherOf(name) !== null));
  return compare === null ? wanted : wanted.flatMap((name) => (
    otherOf(name) === null ? [name] : [name, otherOf(name)]));
}
