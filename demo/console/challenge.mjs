// The challenges of a refusal: the header WWW-Authenticate (RFC 9110, section 11.6.1).

/** A scheme, or a parameter with a quoted value. The console knows the schemes of the gate. */
const PART = /(?:^|,)\s*(Bearer|DPoP)(?=[\s,]|$)|([\w-]+)="((?:[^"\\]|\\.)*)"/gi;

/** The challenges in a header, as `{scheme, parameters}` with a map of the parameters by name. */
export function parseChallenges(header) {
  const challenges = [];
  for (const [, scheme, name, value] of (header ?? '').matchAll(PART)) {
    if (scheme) {
      challenges.push({ scheme, parameters: new Map() });
    } else {
      challenges.at(-1)?.parameters.set(name, value.replace(/\\(.)/g, '$1'));
    }
  }
  return challenges;
}

/** The first value of a parameter in any of the challenges. */
export function parameter(challenges, name) {
  return challenges.map(({ parameters }) => parameters.get(name)).find((value) => value !== undefined);
}

/** The scopes that challenges ask for. */
export function scopes(challenges) {
  return parameter(challenges, 'scope')?.split(' ').filter(Boolean) ?? [];
}

/** A text as a URL that a page may link to; `null` if it is not one. */
export function webUrl(text) {
  const url = URL.parse(text);
  return ['http:', 'https:'].includes(url?.protocol) ? url.href : null;
}

/** The URL of the metadata document that challenges name; `null` if they name none. */
export function metadataUrl(challenges) {
  return webUrl(parameter(challenges, 'resource_metadata') ?? '');
}
