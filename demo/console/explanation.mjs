// What the page says about an answer, as sentences.

/** What the page knows about the token and the call in addition to the answer. */
export function answerNotes({ token, fate, api, variation }, { by, admitted, code }) {
  if (!token || admitted === null) {
    return [];
  }
  if (fate === 'tampered') {
    return admitted ? [] : ['You have tampered with this token.'];
  }
  if (fate === 'revoked' || fate === 'outdated') {
    const what = fate === 'revoked'
      ? 'This token is revoked' : 'This token was issued before the client secret was changed, so it is revoked';
    const when = token.isOpaque ? 'it asks about a token again after 1 s' : 'it reads the list every 2 s';
    return [admitted ? `${what}, but the gate does not know that yet: ${when}.` : `${what}.`];
  }
  if (by !== 'gate' || code !== 'claims') {
    return [];
  }
  if (!token.subscribes(api)) {
    return [`The token does not include a subscription to ${api.title} ${api.version}: `
      + 'switch Subscribed on.'];
  }
  return variation.id === 'production'
    ? ['The production host asks for the claim keytype to be PRODUCTION. Choose Production above.'] : [];
}

function ofGate({ reason, description }, retryAfter) {
  return [
    description ? `${description}.` : 'The gate says no more than that.',
    reason?.explanation,
    retryAfter ? `Try again in ${retryAfter} s.` : null,
  ];
}

function ofApi({ status }, { description }, token) {
  if (status < 300) {
    return [token?.isOpaque
      ? 'The gate asked the authorization server about the token, checked issuer, audience and time, and let '
        + 'the request through to the API.'
      : 'The gate has checked the token’s signature, issuer, audience and time, and let the request through '
        + 'to the API.'];
  }
  return [
    'The gate has let the request through; this is the API’s own answer.',
    description ? `${description}.` : null,
  ];
}

function ofEnvoy({ status, text }, { admitted }) {
  if (admitted) {
    return [status === 504
      ? 'The gate has let the request through, but the API did not answer in time. So Envoy answered.'
      : 'The gate has let the request through, but Envoy could not reach the API. So Envoy answered.'];
  }
  return [
    'Envoy has answered by itself: neither the gate nor the API has answered this request.',
    status === 503 && text === ''
      ? 'A 503 without a body is what Envoy answers when the filter itself has failed. Envoy’s log says why.'
      : null,
  ];
}

/** Why a call got its answer. */
export function explanation({ answer, token }, result) {
  const sentences = {
    gate: () => ofGate(result, answer.headers.get('retry-after')),
    api: () => ofApi(answer, result, token),
    envoy: () => ofEnvoy(answer, result),
  }[result.by]();
  return sentences.filter(Boolean);
}

/** Why a call got no answer. */
export function failureText({ failure, url }) {
  const { host, protocol } = new URL(url);
  if (failure === 'timeout') {
    return `Envoy (${host}) has not answered in time, so the console stopped waiting.`;
  }
  return protocol === 'https:'
    ? 'The browser got no answer from the API. It may not trust the demo’s certificate: open the address '
      + 'below once in a tab and accept it, or choose HTTP above.'
    : `The browser got no answer from the API (${host}). Is the demo still running?`;
}
