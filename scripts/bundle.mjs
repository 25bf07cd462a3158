// The program as few files instead of hundreds: Node takes a tenth of a second to find, read and link our modules and
// our libraries' one by one, and a build in which nothing changed is not much longer than that. The libraries under
// `exports` of package.json stay as the compiler writes them.
import { build } from 'rolldown'

await build({
  input: 'dist/cli/main.js',
  platform: 'node',
  // jiti finds its compiler beside itself, serialport its native part.
  external: ['jiti', 'serialport'],
  output: { dir: 'dist/bin', cleanDir: true, format: 'esm' },
})
