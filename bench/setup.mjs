// What a scenario needs while it is measured: an Envoy for each filter, and the servers behind them.

import { UPSTREAM_CLUSTER, bootstrap } from '../tools/bootstrap.mjs';
import { serveDocument } from '../tools/document-server.mjs';
import { Failure } from '../tools/failure.mjs';
import { KEYS_CLUSTER, pathOf } from './authn.mjs';
import { Envoy, Refused } from './envoy.mjs';
import { FILTERS } from './filters.mjs';
import { INTROSPECTION_CLUSTER, serveIntrospection } from './introspection.mjs';
import { keySet, rotatingKeySets } from './keys.mjs';
import { LISTS_CLUSTER, serveList } from './lists.mjs';
import { LOAD_CORE } from './settings.mjs';
import { firstToken } from './tokens.mjs';

export class Setup {
  #scenario;
  #behind = [];

  constructor(scenario) {
    this.#scenario = scenario;
    this.path = pathOf(scenario.rules);
    /** The Envoys by the names of their filters. */
    this.envoys = new Map();
    /** Filters that reject the configuration, with the reason. */
    this.skipped = {};
    /** Filters that answered wrongly before the measurement, with the wrong answer. */
    this.wrong = {};
  }

  /** Starts everything, and checks the answers of each Envoy to a few requests. */
  static async start({ processes, tokens, modules }, scenario, file) {
    const setup = new Setup(scenario);
    try {
      await setup.#start(processes, tokens.keys, modules);
      await setup.#check(file, tokens);
      return setup;
    } catch (error) {
      await setup.stop();
      throw error;
    }
  }

  /** The status of a filter's answers in this scenario. */
  status(filter) {
    return FILTERS[filter].checks ? this.#scenario.status : 200;
  }

  async stop() {
    await Promise.all([...this.envoys.values(), ...this.#behind].map((each) => each.stop()));
  }

  async #start(processes, keys, modules) {
    const { alg, keys: size, upstream, remote, workers, waiting, filters } = this.#scenario;
    const clusters = {};
    if (remote) {
      const set = remote === 'rotating' ? rotatingKeySets(alg, keys) : keySet(alg, keys, size);
      const server = await serveDocument(set);
      this.#behind.push(server);
      clusters[KEYS_CLUSTER] = server.port;
    }
    if (waiting > 0) {
      const server = await serveIntrospection();
      this.#behind.push(server);
      clusters[INTROSPECTION_CLUSTER] = server.port;
    }
    if (upstream) {
      const envoy = await Envoy.start(processes, 'upstream', bootstrap({ filters: [] }), {
        core: LOAD_CORE,
      });
      this.#behind.push(envoy);
      clusters[UPSTREAM_CLUSTER] = envoy.port;
    }
    for (const filter of filters) {
      const { chain: chainOf, listed } = FILTERS[filter];
      const chain = chainOf(this.#scenario, keys, modules);
      const own = { ...clusters };
      if (listed) {
        const server = await serveList(listed);
        this.#behind.push(server);
        own[LISTS_CLUSTER] = server.port;
      }
      try {
        const config = bootstrap({ filters: chain, clusters: own });
        const envoy = await Envoy.start(processes, filter, config, { workers });
        this.envoys.set(filter, envoy);
      } catch (error) {
        if (!(error instanceof Refused)) {
          throw error;
        }
        // Another version of bearer-gate may not know a field. The other filters must know all of them.
        if (!['gate', 'other'].includes(FILTERS[filter].module)) {
          throw new Failure(`Envoy rejects the configuration of ${FILTERS[filter].label}: ${error.message}`);
        }
        this.skipped[filter] = error.message;
      }
    }
  }

  async #check(file, tokens) {
    const token = file === null ? null : await firstToken(file);
    for (const [filter, envoy] of this.envoys) {
      const expected = [[token, this.status(filter)]];
      if (FILTERS[filter].checks) {
        expected.push([null, 401]);
      }
      if (FILTERS[filter].listed) {
        expected.push([await firstToken(await tokens.file('revoked', 1)), 401]);
      }
      for (const [sent, status] of expected) {
        const found = await envoy.status(this.path, sent);
        if (found !== status) {
          const what = sent === null ? 'a request without a token' : named(sent, token);
          this.wrong[filter] = `answers ${what} with ${found} instead of ${status}`;
        }
      }
    }
    for (const filter of Object.keys(this.wrong)) {
      await this.envoys.get(filter).stop();
      this.envoys.delete(filter);
    }
  }
}

function named(sent, first) {
  return sent === first ? 'the first token' : 'a revoked token';
}
