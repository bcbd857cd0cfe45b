#!/usr/bin/env node
// Old syntax on purpose: an old Node must be able to read this far and say what is wrong.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `can-swarm needs Node.js 24 or later, this is ${process.version}: run it from the clone as "npx can-swarm", which brings its own.`
  )
  process.exit(78)
} else {
  void import('../dist/cli/main.js')
}
