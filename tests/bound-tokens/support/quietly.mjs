// `oidc-provider` prints advice for production.

/** Runs `action` without it. */
export async function quietly(action) {
  const { info, warn } = console;
  Object.assign(console, { info() {}, warn() {} });
  try {
    return await action();
  } finally {
    Object.assign(console, { info, warn });
  }
}
