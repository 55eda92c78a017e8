// JSON, alone and in tokens.

/** The value of a JSON text; the text itself if it is none. */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The header and the claims of a JWT; `null` if it is not one. Verifies nothing. */
export function decode(token) {
  const [header, claims] = token.split('.')
    .map((part) => parse(Buffer.from(part, 'base64url').toString()));
  return header?.alg && claims ? { header, claims } : null;
}
