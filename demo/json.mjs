// JSON, alone and in tokens.

import { decodeJwt, decodeProtectedHeader } from 'jose';

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
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    return null;
  }
}
