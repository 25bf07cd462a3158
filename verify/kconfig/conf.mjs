/**
 * Takes the place of a tree's scripts/kconfig/conf, for the tree's own tests:
 *
 *   DIALECT_TREE=TREE python3 -m pytest TREE/scripts/kconfig/tests
 *
 * from a folder where scripts/kconfig/conf is conf.sh. DIALECT_TREE names the tree whose dialect is meant (the tests
 * set srctree to their own folder). DIST names the built package (default ../../dist).
 */
const dist = process.env.DIST ?? new URL('../../dist', import.meta.url).pathname
const { createNodeHost, detectDialect, fileReader, runConf } = await import(`${dist}/kconfig/index.js`)
const tree = process.env.DIALECT_TREE
const options = tree === undefined ? {} : { dialect: detectDialect(fileReader(tree)) }
process.exitCode = await runConf(process.argv.slice(2), createNodeHost(options))
