// How the gate is configured in a soak, and how long its answers may lag behind an event. All times are in
// seconds. The first part is the configuration. The second part is what docs/key-sets.md and
// docs/revocation.md promise for this configuration. Outside these bounds, exactly one answer is right.

/** The key set: `remote_jwks` of the provider of JWTs. */
export const KEYS = {
  timeout: 2,
  /** `cache_duration`: a changed set is fetched within this time. */
  refresh: 10,
  /** After the last good fetch the keys are used for so long and not longer. */
  maxStale: 30,
  /** At most one refetch for unknown kids in this time. */
  cooldown: 5,
  /** Since there is always a request for an unknown kid, each fetch is a refetch. */
  apart: 5,
  /** `failed_refetch_duration`: a failed fetch is repeated within this time. */
  retry: 2,
};

/** The revocation list of the same provider. */
export const LIST = {
  timeout: 2,
  refresh: 5,
  maxStale: 20,
  /** A fetch comes ahead of `refresh_interval` by up to a tenth. */
  apart: 4.5,
  /** The ceiling of the backoff of lists, which no field changes. */
  retry: 60,
};

/** Introspection: the provider of opaque tokens. */
export const INTROSPECTION = {
  timeout: 2,
  /** For so long an answer counts that a token is active; that one is not. */
  active: 10,
  inactive: 5,
  /** For so long a token is not asked about again after a failure. */
  failure: 1,
};

export const CLOCK_SKEW = 1;
/** Envoy's `--drain-time-s`: requests on old connections use a replaced listener for so long. */
export const DRAIN = 5;

/** All workers use a document that one of them has fetched within a second. */
const ADOPTION = 1;
/** What a machine that does other work may add to any bound. */
const BUSY = 2;

/** From the moment that a server has answered until no worker uses the document before. */
export const ADOPTED_WITHIN = ADOPTION + BUSY;
/** By how much any other bound may be exceeded. */
export const SLACK = BUSY;
/** A request that waits is answered within `timeout`, which is the same for all documents. */
export const ANSWERED_WITHIN = KEYS.timeout + BUSY;
/** A request without an answer after this time is lost. */
export const LOST_AFTER = 20;
