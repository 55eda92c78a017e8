// What is measured: one line for each scenario.

import { Failure, NOT_STARTED } from '../tools/failure.mjs';
import { COMPARED, FILTERS, otherOf } from './filters.mjs';

const CHECKING = COMPARED.filter((name) => FILTERS[name].checks);
/** So many tokens are walked through where each is refused. */
const REFUSED_TOKENS = 2000;

/**
 * A scenario, with what it does not name as it mostly is.
 *
 * - `tokens`: the kind of token, or `null` for none; `distinct` are walked through over and over, or
 *   every request has a `fresh` one, which the filter has not seen.
 * - `status`: what the filters that check tokens answer.
 * - `alg`, `keys`: the algorithm of the key set and its size; `remote`: it is fetched.
 * - `providers`, `rules`: how many; the last is the one needed. `anyProvider`: any will do.
 * - `cache`: the entries of the cache, where it needs more than it has by itself.
 * - `paced`: also measure the latency at a fixed rate.
 */
function scenario(name, group, title, fields) {
  const complete = {
    name,
    group,
    title,
    tokens: 'RS256',
    fresh: false,
    distinct: 1,
    status: 200,
    alg: 'RS256',
    keys: 1,
    remote: false,
    providers: 1,
    anyProvider: false,
    rules: 1,
    cache: null,
    features: false,
    upstream: false,
    workers: 1,
    filters: COMPARED,
    paced: false,
    quick: false,
    ...fields,
  };
  // The key that verifies is the token's, unless no key does.
  return { ...complete, alg: fields.fresh ? complete.tokens : complete.alg };
}

const refused = (name, title, tokens, fields = {}) => scenario(`bad-${name}`, 'refused', title, {
  tokens, distinct: REFUSED_TOKENS, status: 401, ...fields,
});
const growth = (what, sizes, title, fields) => sizes.map((size) => scenario(
  `${what}-${size}`, what, title(size), { filters: CHECKING, ...fields(size) },
));
const number = (value) => value.toLocaleString('en');

/** What the groups of scenarios are called. */
export const GROUPS = {
  seen: 'Tokens seen before',
  new: 'Every token new',
  refused: 'Requests that are refused',
  rich: 'More than a check',
  upstream: 'With an upstream behind it',
  workers: 'Two workers',
  providers: 'Growth with providers',
  'any-provider': 'Growth with providers of which any will do',
  rules: 'Growth with rules',
  keys: 'Growth with keys in a set, every token new',
  cached: 'Growth with tokens in the cache',
  revocation: 'With a revocation list',
};

/** bearer-gate without a list, with a short one and with a long one. */
const LISTED = ['gate', 'gate-short-list', 'gate-long-list'];

export const SCENARIOS = [
  scenario('warm-1', 'seen', '1 token', { quick: true, paced: true }),
  ...[1_000, 50_000].map((distinct) => scenario(
    `warm-${distinct}`, 'seen', `${number(distinct)} tokens`, { distinct, cache: sized(distinct) },
  )),
  ...['RS256', 'ES256', 'PS256', 'EdDSA'].map((alg) => scenario(
    `cold-${alg.toLowerCase()}`, 'new', alg, { tokens: alg, fresh: true, quick: /^.S256$/.test(alg) && alg !== 'PS256' },
  )),
  refused('missing', 'no token', null, { quick: true, paced: true }),
  refused('garbage', 'garbage', 'garbage', { quick: true }),
  refused('expired', 'expired', 'expired'),
  refused('unknown-kid', 'unknown kid', 'unknown-kid', { remote: true }),
  refused('signature', 'bad signature', 'bad-signature'),
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
];

/** The cache for so many tokens, or `null` where it is large enough by itself. */
function sized(distinct) {
  return distinct > 4096 ? distinct : null;
}

function plural(word) {
  return (size) => `${number(size)} ${word}${size === 1 ? '' : 's'}`;
}

/** The name by which `ONLY` selects the measurement of start-up, which is no scenario of requests. */
export const START = 'start';

/**
 * What a run measures: `{ scenarios, start }`. `only` has names, groups, or first words of names.
 * Throws a `Failure` if a name matches nothing.
 */
export function chosen({ quick, only, filters, compare }) {
  const matches = (wanted) => ({ name, group }) => (
    name === wanted || group === wanted || name.startsWith(`${wanted}-`));
  const unknown = only.find((wanted) => wanted !== START && !SCENARIOS.some(matches(wanted)));
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
  const scenarios = SCENARIOS
    .filter((each) => (only.length > 0
      ? only.some((wanted) => matches(wanted)(each))
      : each.quick || !quick))
    .map((each) => ({ ...each, filters: selected(each.filters, { filters, compare }) }))
    .filter((each) => each.filters.length > 0);
  return { scenarios, start: only.includes(START) || (only.length === 0 && (compare !== null || !quick)) };
}

/**
 * Those of some filters that a run measures: all, or the ones it names. A comparison measures only
 * bearer-gate unless others are named, and each of its filters with both modules.
 */
export function selected(names, { filters, compare }) {
  const wanted = names.filter((name) => (filters.length > 0
    ? filters.includes(name)
    : compare === null || otherOf(name) !== null));
  return compare === null ? wanted : wanted.flatMap((name) => (
    otherOf(name) === null ? [name] : [name, otherOf(name)]));
}
