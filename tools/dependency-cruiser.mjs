// The rules for imports between the project's JavaScript files. `make lint` checks them.

/** Files below these directories. */
const below = (...directories) => `^(${directories.join('|')})/`;

const separate = (name, from, to) => ({
  name,
  comment: 'What two of them need belongs in tools/, which depends on none of them.',
  severity: 'error',
  from: { path: from },
  to: { path: to, pathNot: 'node_modules' },
});

export default {
  forbidden: [
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    separate('bench-stands-alone', below('bench'), below('demo', 'scripts', 'tests')),
    separate('demo-stands-alone', below('demo'), below('bench', 'scripts', 'tests')),
    separate('scripts-stand-alone', below('scripts'), below('bench', 'demo', 'tests')),
    separate('tests-stand-alone', below('tests'), below('bench', 'demo', 'scripts')),
    separate('tools-depend-on-nothing', below('tools'), below('bench', 'demo', 'scripts', 'tests')),
    {
      name: 'console-is-for-browsers',
      comment: 'A browser can load the files of demo/console only, and those that the portal serves at /jose/.',
      severity: 'error',
      from: { path: below('demo/console') },
      to: { pathNot: [below('demo/console'), '^/jose/'] },
    },
    {
      name: 'views-on-top',
      comment: 'State, actions and servers know nothing of the elements of the page.',
      severity: 'error',
      from: { path: below('demo/console'), pathNot: ['^demo/console/app\\.mjs$', below('demo/console/views')] },
      to: { path: below('demo/console/views') },
    },
    {
      name: 'files-exist',
      comment: 'Packages may not be installed yet; files of the project must be there.',
      severity: 'error',
      from: {},
      to: { path: '^\\.', couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'node_modules' },
  },
};
