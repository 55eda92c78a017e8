// Everything that runs in a soak: Envoy with the gate, the servers behind it, clients before it.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { GATE_WASM, ROOT } from '../../tools/checkout.mjs';
import { Envoy } from '../../tools/envoy.mjs';
import { Failure } from '../../tools/failure.mjs';
import { Client } from './client.mjs';
import { now } from './clock.mjs';
import { AUDIENCE, Configuration, PATHS } from './configuration.mjs';
import { IntrospectionServer } from './introspection-server.mjs';
import { Judge } from './judge.mjs';
import { requestKinds } from './kinds.mjs';
import { DRAIN, KEYS, LIST } from './promises.mjs';
import { PublishedDocument } from './published-document.mjs';
import { Samples, statistics } from './samples.mjs';
import { Traffic } from './traffic.mjs';
import { Upstream } from './upstream.mjs';
import { Wallet } from './wallet.mjs';

export const WORKERS = 2;
/** Where the files of a run are. */
export const WORK = join(ROOT, 'target/soak');

const LISTENER = 'http';
const READY_WITHIN = 30;
const POLL_MS = 100;

export class Setup {
  #revoke;
  wallet = new Wallet();
  documents = { keys: new PublishedDocument(KEYS), list: new PublishedDocument(LIST) };
  endpoint = new IntrospectionServer(AUDIENCE);
  upstream = new Upstream();

  /** Starts everything, and waits until the gate admits a token. */
  static async start(processes) {
    const setup = new Setup();
    await setup.#start(processes);
    return setup;
  }

  /** The events of the schedule. */
  get events() {
    const { keys, list } = this.documents;
    const servers = {
      keys: keys.server, list: list.server, introspection: this.endpoint.server,
    };
    return {
      rotate: () => this.#rotate(),
      reload: (how) => this.configuration.reload(how),
      fail: ([name, mode]) => servers[name].fail(mode),
      recover: (name) => servers[name].recover(),
      revoke: async () => {
        await this.#revoke();
        list.publish(this.wallet.revocationList());
        this.endpoint.sweep();
      },
    };
  }

  async stop() {
    this.client?.stop();
    await this.envoy?.stop();
    const { keys, list } = this.documents;
    await Promise.all([keys.server, list.server, this.endpoint.server, this.upstream]
      .map((server) => server.stop()));
  }

  /** The log of Envoy. */
  log() {
    return readFile(join(WORK, 'envoy.log'), 'utf8');
  }

  /** Waits until statistics of Envoy, those that match `filter`, are as `isRight` wants; returns them. */
  async settled(filter, isRight, within) {
    const end = now() + within;
    let found = await statistics(this.envoy, filter);
    while (!isRight(found) && now() < end) {
      await sleep(POLL_MS);
      found = await statistics(this.envoy, filter);
    }
    return found;
  }

  async #start(processes) {
    await mkdir(WORK, { recursive: true });
    await this.wallet.rotate();
    await this.#rotate();
    this.documents.list.publish(this.wallet.revocationList());
    const clusters = {
      keys: await this.documents.keys.server.listen(),
      list: await this.documents.list.server.listen(),
      introspection: await this.endpoint.server.listen(),
      upstream: await this.upstream.listen(),
    };
    this.configuration = new Configuration({ module: GATE_WASM, directory: WORK, clusters });
    this.envoy = await Envoy.start(processes, {
      config: await this.configuration.start(),
      logFile: join(WORK, 'envoy.log'),
      adminFile: join(WORK, 'admin'),
      workers: WORKERS,
      options: ['--drain-time-s', String(DRAIN), '--drain-strategy', 'immediate'],
    });
    this.client = new Client((await this.envoy.ports())[LISTENER]);
    const judge = new Judge(this);
    const { kinds, revoke } = requestKinds({ wallet: this.wallet, judge, endpoint: this.endpoint });
    this.#revoke = revoke;
    this.traffic = new Traffic({ kinds, client: this.client, upstream: this.upstream });
    this.samples = new Samples(this.envoy, this.documents);
    await this.#ready();
  }

  async #rotate() {
    await this.wallet.rotate();
    this.documents.keys.publish(this.wallet.keySet());
  }

  async #ready() {
    const end = now() + READY_WITHIN;
    let status;
    while (now() < end) {
      const headers = { authorization: `Bearer ${this.wallet.reused().text}`, 'x-soak-id': 'first' };
      this.upstream.expect('first');
      ({ status } = await this.client.send({ path: PATHS.jwt, headers }));
      this.upstream.close('first');
      if (status === 200) {
        return;
      }
      await sleep(POLL_MS);
    }
    throw new Failure(`the gate does not admit a good token, but answers ${status}`);
  }
}
