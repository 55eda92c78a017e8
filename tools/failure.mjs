/** An error that ends the program; its message is all that the user needs to see. */
export class Failure extends Error {
  constructor(message, { exitCode = 1, details = [] } = {}) {
    super(message);
    this.exitCode = exitCode;
    /** Lines that help to find the cause, such as the end of a log. */
    this.details = details;
  }
}

/** The exit code if nothing was started because a setting is wrong or something is missing. */
export const NOT_STARTED = 2;
