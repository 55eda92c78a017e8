// Sends the requests of Swagger UI and has the answers shown.

/**
 * The `fetch` for Swagger UI. `context()` returns what is known about the request when it is sent;
 * `shows` has the functions `answer` and `failure`, which show how it ended.
 */
export function sender(context, shows) {
  return async (url, init) => {
    const known = context();
    const sent = { url, headers: { ...init.headers }, body: init.body };
    const start = performance.now();
    let response;
    try {
      response = await fetch(url, {
        ...init,
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
    } catch (error) {
      shows.failure(sent, known);
      throw error;
    }
    const milliseconds = Math.round(performance.now() - start);
    await shows.answer(sent, response.clone(), milliseconds, known);
    return response;
  };
}
