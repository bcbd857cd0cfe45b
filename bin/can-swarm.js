#!/usr/bin/env node
// Old syntax on purpose: an old Node must be able to read this far and say what is wrong.
// A record or proof may come to a machine that runs no node: what looks at them needs less.
var needed = /^(audit|certificate|evidence|checkpoint)$/.test(process.argv[2]) ? 22 : 24
if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(
    'can-swarm needs Node.js ' +
      needed +
      ' or later, this is ' +
      process.version +
      ': run it from the clone as "npx can-swarm", which brings its own.'
  )
  process.exit(78)
} else {
  void import('../dist/cli/main.js')
}
