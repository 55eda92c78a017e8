// The two clocks of a soak, in seconds.

/** A clock that nobody sets: for all that happens in the soak. */
export function now() {
  return performance.now() / 1000;
}

/** Seconds since 1970: for the claims of tokens. */
export function wallClock() {
  return Date.now() / 1000;
}
