// The challenge of a refusal: the header WWW-Authenticate (RFC 6750, section 3).

/** The parameters of a Bearer challenge by name; `null` for any other header. */
export function parseChallenge(header) {
  if (!/^(Bearer|DPoP)\b/i.test(header ?? '')) {
    return null;
  }
  const parameters = header.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g);
  return new Map([...parameters].map(([, name, value]) => [name, value.replace(/\\(.)/g, '$1')]));
}

/** The scopes that a challenge asks for. */
export function scopes(challenge) {
  return challenge?.get('scope')?.split(' ').filter(Boolean) ?? [];
}

/** The URL of the metadata document that a challenge names; `null` if it names none. */
export function metadataUrl(challenge) {
  const url = URL.parse(challenge?.get('resource_metadata') ?? '');
  return ['http:', 'https:'].includes(url?.protocol) ? url.href : null;
}
