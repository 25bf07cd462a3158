import { fileURLToPath } from 'node:url'

/** Where tests keep what they fetch from one run to the next. */
export const cacheFolder =
  process.env.FIRMWRIGHT_CACHE ||
  fileURLToPath(new URL('../node_modules/.cache/firmwright-tests', import.meta.url))
