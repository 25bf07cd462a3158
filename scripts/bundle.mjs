// The program as few files instead of hundreds: Node takes a tenth of a second to find, read and link our modules and
// our libraries' one by one, and a build in which nothing changed is not much longer than that. The libraries under
// `exports` of package.json stay as the compiler writes them.
import { build } from 'rolldown'

await build({
  input: 'dist/cli/main.js',
  platform: 'node',
  // jiti finds its compiler beside itself, serialport its native part.
  external: ['jiti', 'serialport'],
  // No module of ours does anything by being loaded, so no file is loaded for what that would do.
  treeshake: { moduleSideEffects: [{ test: /[/]dist[/]/, sideEffects: false }] },
  output: {
    dir: 'dist/bin',
    cleanDir: true,
    format: 'esm',
    // A room is one file: split by who uses what, a part of it lies with its only user, and to load the room is to load
    // that user too, with everything that a system file needs.
    codeSplitting: { groups: [{ name: 'kconfig', test: /[\\/]dist[\\/]kconfig[\\/]/ }] },
  },
})
