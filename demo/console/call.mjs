// Sends the requests of Swagger UI, in the chosen way, and keeps the answers.

/** How long a call may take, in milliseconds. Envoy gives up on an API after 15 s. */
const TIMEOUT_MS = 20_000;
/** How many answers are kept. */
const KEPT = 10;

/** The calls that were made, the newest first. */
export class Calls {
  #state;
  #changed;
  #count = 0;
  all = [];
  /** The one that is shown; `null` before the first one. */
  shown = null;

  /** `changed` is called when a call is sent, and when it is answered. */
  constructor(state, changed) {
    this.#state = state;
    this.#changed = changed;
  }

  show(call) {
    this.shown = call;
    this.#changed();
  }

  /** Whether a call is made as it would be now; otherwise what has changed since, in a few words. */
  changesSince(call) {
    const { api, server, keytype, token, variation } = this.#state;
    return [
      ['the API', call.api !== api],
      ['the server', call.server !== server],
      ['the key type', call.keytype !== keytype],
      ['the token', call.keytype === keytype && call.api === api && call.token !== token],
      ['how calls are sent', call.variation !== variation],
    ].filter(([, changed]) => changed).map(([what]) => what);
  }

  /** The `fetch` for Swagger UI. */
  send = async (url, init) => {
    const { api, server, keytype, token, variation } = this.#state;
    const call = {
      number: this.#count += 1,
      time: new Date(),
      api, server, keytype, token, variation,
      /** What had been done to the token; more may be done to it later. */
      fate: token?.fate ?? null,
      method: init.method ?? 'GET',
      url,
      headers: Object.fromEntries(Object.entries(init.headers ?? {})
        .filter(([name]) => name.toLowerCase() !== 'authorization')),
      body: init.body,
      /** `{status, headers, text, milliseconds}`; `null` while there is no answer. */
      answer: null,
      /** Why there is none: `timeout` or `unreachable`. */
      failure: null,
    };
    // The token must reach only the API, whatever the document of the API contains.
    if (new URL(url).origin === new URL(server.url).origin) {
      call.url = variation.url(url, api);
      const { method } = call;
      Object.assign(call.headers, await variation.headers({
        token: token?.text ?? null, key: token?.key ?? null, method, url: call.url,
      }));
    }
    this.all = [call, ...this.all].slice(0, KEPT);
    this.show(call);
    const start = performance.now();
    try {
      const response = await fetch(call.url, {
        ...init,
        headers: call.headers,
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.clone().text();
      const milliseconds = Math.round(performance.now() - start);
      call.answer = { status: response.status, headers: response.headers, text, milliseconds };
      return response;
    } catch (error) {
      call.failure = error.name === 'TimeoutError' ? 'timeout' : 'unreachable';
      throw error;
    } finally {
      this.#changed();
    }
  };
}
