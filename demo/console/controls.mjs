// Runs actions on events of the page's controls.

import { sentence } from './servers.mjs';

/** After this time, in milliseconds, the page says that it waits. */
const PATIENCE_MS = 400;

export class Controls {
  #panel;
  #notice;
  #render;
  #running = 0;
  /** Resolves when the last action has ended. */
  #last = Promise.resolve();

  /** `panel` is marked as busy while an action runs; then `notice` gets what it says, and `render` is called. */
  constructor(panel, { notice, render }) {
    this.#panel = panel;
    this.#notice = notice;
    this.#render = render;
  }

  /**
   * Runs an action on an event of a control, with errors shown to the user. Actions run one after the
   * other: a choice that is made while another action runs is applied afterwards, with what `read`
   * returned when it was made. A button that is pressed meanwhile does nothing.
   */
  on(control, event, action, read = () => undefined) {
    control.addEventListener(event, (occurrence) => {
      if (event === 'submit') {
        occurrence.preventDefault();
      }
      if (this.#running > 0 && event !== 'change') {
        return;
      }
      const value = read();
      const button = occurrence.submitter ?? control;
      this.#last = this.#last.then(() => this.#run(button, action, value));
      this.#running += 1;
      this.#panel.setAttribute('aria-busy', 'true');
    });
  }

  async #run(control, action, value) {
    control.setAttribute('aria-busy', 'true');
    const timer = setTimeout(() => this.#notice('Waiting for the server …'), PATIENCE_MS);
    let said;
    let problem = false;
    try {
      said = await action(value);
    } catch (error) {
      problem = true;
      said = sentence(error);
    }
    clearTimeout(timer);
    control.removeAttribute('aria-busy');
    this.#running -= 1;
    if (this.#running === 0) {
      this.#panel.removeAttribute('aria-busy');
    }
    this.#notice(said ?? '', problem);
    this.#render();
  }
}
