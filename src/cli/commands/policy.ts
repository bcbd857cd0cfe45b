import { type Command, Option } from 'commander'
import { examples, type Shell } from '../shell.ts'
import { evaluate, explain } from './policy-judge.ts'
import { add, build, list, show, test } from './policy-keep.ts'

const EXAMPLE_CID = 'bafyreibg7akdgdqkmcoqicqoait2erni5utv4tl5em74jxtz3bgbpkqksm'
const CAPSULE = 'folder of sources, capsule file, CID, or base'

export function addPolicyCommands(program: Command, shell: Shell): void {
  const policy = program
    .command('policy')
    .description('Policies: make, test, ask and explain them; keep them on a node.')
  examples(policy, ['policy ls'])
  addMaking(policy, shell)
  addAsking(policy, shell)
  addKeeping(policy, shell)
}

function addMaking(policy: Command, shell: Shell): void {
  examples(
    policy
      .command('build')
      .description(
        'Compile a folder of Rego and run its vectors; print the CID. The same folder gives the same CID everywhere. Needs opa, no node.'
      )
      .argument('<dir>', 'folder with policy.json, vectors.json and Rego')
      .option('-o, --output <FILE>', 'Write the capsule to a file.')
      .action(shell.action(build)),
    ['policy build ./strict -o strict.car', 'policy build ./strict --json']
  )
  examples(
    policy
      .command('test')
      .description(
        'Run the vectors of a capsule; of a folder, its Rego unit tests as well, which need opa. Exit status 1 when one fails.'
      )
      .argument('<capsule>', CAPSULE)
      .action(shell.action(test)),
    ['policy test ./strict', 'policy test strict.car', `policy test ${EXAMPLE_CID}`]
  )
}

function addAsking(policy: Command, shell: Shell): void {
  const input = new Option('--input <FILE>', 'Question as JSON; - reads standard input.')
  const gate = new Option(
    '--gate <GATE>',
    'Gate that asks, when the question does not say.'
  ).choices(['message', 'bid', 'commit'])
  examples(
    policy
      .command('eval')
      .description(
        'Ask a capsule: decision, gas and digest, as every node gets them. Exit status 4 for a deny. Needs no node but for a CID.'
      )
      .argument('<capsule>', CAPSULE)
      .addOption(input)
      .addOption(gate)
      .action(shell.action(evaluate)),
    [
      'policy eval base --input question.json',
      'policy eval strict.car --input - --gate commit --json'
    ]
  )
  examples(
    policy
      .command('explain')
      .description(
        'Say which rule denies, which value it saw, and where it is written; of a question, or of an envelope of a thread.'
      )
      .argument('<subject>', `${CAPSULE}; or THREAD/ENVELOPE`)
      .addOption(input)
      .addOption(gate)
      .action(shell.action(explain)),
    ['policy explain base --input question.json', 'policy explain soitae/qwfvae']
  )
}

function addKeeping(policy: Command, shell: Shell): void {
  examples(
    policy
      .command('ls')
      .description('Capsules of this node; without a node, the one that ships with the program.')
      .action(shell.action(list)),
    ['policy ls', 'policy ls -q']
  )
  examples(
    policy
      .command('show')
      .description('Print what a capsule is: limits, entrypoint, compiler, vectors, sources.')
      .argument('<capsule>', CAPSULE)
      .action(shell.action(show)),
    ['policy show base', `policy show ${EXAMPLE_CID} --json`]
  )
  examples(
    policy
      .command('add')
      .description(
        'Keep a capsule on the running node, once its vectors pass there. Peers can fetch it from then on.'
      )
      .argument('<file>', 'capsule file')
      .action(shell.action(add)),
    ['policy add strict.car']
  )
}
