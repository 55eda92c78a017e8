// One HTTP request of the MCP client, its answer, and how both are printed.

import { extractWWWAuthenticateParams } from '@modelcontextprotocol/client';

import * as terminal from './terminal.mjs';
import { decode, parse } from './json.mjs';

/** The first and last characters of a credential. */
function short(text) {
  return `${text.slice(0, 13)}…${text.slice(-6)}`;
}

export class Exchange {
  #headers;
  #arguments;
  #content;

  /** `url` and `init` are the arguments of a `fetch`. */
  constructor(url, init = {}) {
    this.method = init.method ?? 'GET';
    this.url = String(url);
    this.#headers = new Headers(init.headers);
    /** The parameters of a form; `null` for other requests. */
    this.form = init.body instanceof URLSearchParams ? Object.fromEntries(init.body) : null;
    /** The method of the protocol, with the tool of a call; `null` for other requests. */
    this.call = null;
    this.#arguments = null;
    if (typeof init.body === 'string') {
      const { method, params } = parse(init.body);
      this.call = params?.name ? `${method} ${params.name}` : method;
      this.#arguments = params?.arguments;
    }
  }

  /** What the request asks for, on one line. */
  get request() {
    return `${this.method} ${this.url}${this.call ? ` ${this.call}` : ''}`;
  }

  printRequest() {
    const authorization = this.#headers.get('authorization');
    const lines = [`${this.method} ${this.url}`];
    if (authorization) {
      lines.push(` authorization: ${short(authorization)}`);
    }
    if (this.form) {
      lines.push(...Object.entries(this.form).map(([name, value]) => ` ${name}=${value}`));
    }
    if (this.call) {
      lines.push(` ${this.call}${this.#arguments ? ` ${JSON.stringify(this.#arguments)}` : ''}`);
    }
    terminal.command(lines.join('\n'));
  }

  /** Takes what is of interest from the answer, which the client reads, too. */
  async answered(response) {
    this.status = response.status;
    this.statusText = response.statusText;
    this.#content = parse(await response.clone().text());
    /** The challenge, and its parameters as the client reads them. */
    this.challenge = response.headers.get('www-authenticate');
    this.challenged = this.challenge ? extractWWWAuthenticateParams(response) : {};
  }

  /** The answer: a document, the result of a call, or an error. */
  get answer() {
    return this.#content?.result ?? this.#content;
  }

  /** The token in the answer, decoded; `null` if there is none. */
  get token() {
    return this.#content?.access_token ? decode(this.#content.access_token) : null;
  }

  printAnswer() {
    terminal.line(`  ${terminal.bold(`${this.status} ${this.statusText}`)}`);
    if (this.challenge) {
      terminal.challenge(this.challenge);
    }
    if (this.token) {
      terminal.jwt(this.token);
    } else {
      terminal.value(this.#excerpt());
    }
  }

  /** The answer without members that the walk does not speak of. */
  #excerpt() {
    const { answer } = this;
    if (answer?.token_endpoint) {
      return { issuer: answer.issuer, token_endpoint: answer.token_endpoint };
    }
    if (answer?.supportedVersions) {
      return { supportedVersions: answer.supportedVersions };
    }
    return answer?.content ?? answer;
  }
}
