// The program as few files instead of hundreds: Node takes a tenth of a second to find, read and link our modules and
// our libraries' one by one, and a build in which nothing changed is not much longer than that. The libraries under
// `exports` of package.json stay as the compiler writes them.
import { writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { build } from 'rolldown'
import { esmExternalRequirePlugin } from 'rolldown/plugins'

/**
 * commander starts programs for commands that are programs of their own, of which we have none. Without this, every start
 * would make Node's child processes, sockets and streams ready.
 */
const noPrograms = {
  name: 'no-programs',
  resolveId: (source, importer) =>
    source === 'node:child_process' && importer?.includes('/commander/') ? '\0no-programs' : null,
  load: (id) => (id === '\0no-programs' ? 'module.exports = {}' : null),
}

await build({
  input: 'dist/cli/main.js',
  platform: 'node',
  plugins: [
    noPrograms,
    esmExternalRequirePlugin({
      external: [/^node:(?!child_process)/, ...builtinModules.filter((name) => name !== 'child_process')],
    }),
  ],
  // jiti finds its compiler beside itself, serialport its native part.
  external: ['jiti', 'serialport'],
  // No module of ours does anything by being loaded, so no file is loaded for what that would do.
  treeshake: { moduleSideEffects: [{ test: /[/]dist[/]/, sideEffects: false }] },
  output: {
    dir: 'dist/bin',
    cleanDir: true,
    // Node's loader of ES modules reads them by threads, looks at every property of the built-in modules that they import
    // and so makes half of them ready: 15 ms more at each start than with CommonJS.
    format: 'cjs',
    comments: { legal: true, jsdoc: false, annotation: false },
    // A room is one file: split by who uses what, a part of it lies with its only user, and to load the room is to load
    // that user too, with everything that a system file needs.
    codeSplitting: {
      groups: [
        { name: 'kconfig', test: /[\\/]dist[\\/]kconfig[\\/]/ },
        // What every start takes.
        {
          name: 'start',
          priority: 1,
          test: /[\\/]node_modules[\\/](commander|picocolors)[\\/]|[\\/]dist[\\/](diagnostics|progress)[\\/]|[\\/]dist[\\/]cli[\\/](kernel-source|run|session)\.js$/,
        },
        { name: 'kmod', test: /[\\/]dist[\\/](kmod|elf)[\\/]|[\\/]dist[\\/]cli[\\/]kmod-(folder|plan)\.js$/ },
      ],
    },
  },
})
// The package is one of ES modules; these files are none.
writeFileSync('dist/bin/package.json', '{ "type": "commonjs" }\n')
