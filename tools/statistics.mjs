// Medians and quantiles.

/** The quantile of a share (0 to 1), interpolated between the two nearest values. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values) {
  return quantile(values, 0.5);
}

/** The median and the quartiles. */
export function summary(values) {
  return { low: quantile(values, 0.25), median: median(values), high: quantile(values, 0.75) };
}

/** What `combine` makes of the two values of each round. */
export function sideBySide(one, other, combine) {
  return one.map((value, round) => combine(value, other[round]));
}
