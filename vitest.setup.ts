import fc from 'fast-check'

// The same cases in every run: a test that fails once in a hundred runs tells nobody what to mend. Long runs with
// seeds of their own are for `verify/`.
fc.configureGlobal({ seed: 20_240_101 })

// Where modprobe, depmod and mke2fs are; Debian has it in the search path of root only.
process.env.PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
