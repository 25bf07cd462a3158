// The direction of imports between the rooms under src/ (see ARCHITECTURE.md). Each room may import itself,
// what is listed here, and nothing else; a room's public face is its index.ts.
const mayImport = {
  diagnostics: [],
  elf: [],
  kconfig: [],
  devicetree: [],
  layout: [],
  engine: ['diagnostics'],
  kmod: ['elf'],
  uboot: ['devicetree'],
  kbuild: ['kconfig'],
  filetree: ['diagnostics', 'engine'],
  packages: ['diagnostics', 'engine', 'elf', 'filetree'],
  kernel: ['diagnostics', 'engine', 'kconfig', 'kbuild', 'kmod', 'packages'],
  services: ['diagnostics', 'filetree'],
  system: [
    'diagnostics',
    'engine',
    'elf',
    'kmod',
    'kconfig',
    'kbuild',
    'devicetree',
    'layout',
    'packages',
    'filetree',
    'kernel',
    'services',
  ],
  devices: ['diagnostics', 'system', 'kernel', 'services', 'filetree', 'devicetree', 'layout', 'uboot'],
  features: ['diagnostics', 'system', 'kernel', 'services', 'filetree'],
  outputs: [
    'diagnostics',
    'engine',
    'system',
    'kernel',
    'services',
    'filetree',
    'devicetree',
    'layout',
    'uboot',
    'packages',
    'kmod',
  ],
}

const forbidden = Object.entries(mayImport).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `${room}/ may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'through-the-index',
      comment: "a room's index.ts is its whole public face",
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
}
