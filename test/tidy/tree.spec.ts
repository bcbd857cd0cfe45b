// Goal: the rules of the house hold for every file, and each rule can fail. Method: rules are functions of one file; they run
// over the tree, and over a planted violation each.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type SourceFile, sourceFiles } from '../support/source-files.ts'
import { IMPORT_TABLE } from './import-table.ts'
import { roomOf } from './imports.ts'
import * as rules from './rules.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Fewer files than this and the test has looked in the wrong place. */
const SOURCE_FILES_MIN = 150
const TEST_FILES_MIN = 50

const plant = (path: string, text: string): SourceFile => ({ path, text })
const later = ['TO', 'DO'].join('')

const RULES: readonly {
  readonly name: string
  readonly rule: rules.Rule
  readonly planted: readonly SourceFile[]
}[] = [
  {
    name: 'rooms import only what the table allows',
    rule: rules.importTable,
    planted: [
      plant('src/core/raft/vote.ts', "import { X } from '../envelope/index.ts'"),
      plant('src/core/plan/fold.ts', "import type { X } from '../swarm/index.ts'"),
      plant('src/core/base/clock.ts', "import {\n  type X,\n  y\n} from '../../ports/index.ts'"),
      plant('src/adapters/wal/wal.ts', "import { X } from '../keystore/index.ts'"),
      plant('src/adapters/wal/wal.ts', "export { X } from '../../runtime/index.ts'"),
      plant('src/agents/worker.ts', "const { createNode } = await import('../node/index.ts')"),
      plant('src/rpc/server.ts', "import '../cli/index.ts'"),
      plant('src/cli/main.ts', "import { Swarm } from '../core/swarm/index.ts'"),
      plant('src/attic/old.ts', '')
    ]
  },
  {
    name: 'outsiders use doors, insiders do not',
    rule: rules.doors,
    planted: [
      plant('src/node/create-node.ts', "import { Connection } from '../rpc/connection.ts'"),
      plant('src/rpc/server.ts', "import { connect } from './index.ts'")
    ]
  },
  {
    name: 'packages stay in their rooms',
    rule: rules.packages,
    planted: [
      plant('src/core/raft/log.ts', "import { sha256 } from '@noble/hashes/sha2.js'"),
      plant('src/node/create-node.ts', "import { createLibp2p } from 'libp2p'"),
      plant('src/rpc/server.ts', "import pino from 'pino'")
    ]
  },
  {
    name: 'the core is pure',
    rule: rules.pureCore,
    planted: [
      plant('src/core/need/window.ts', 'const now = Date.now()'),
      plant('src/core/roster/draw.ts', 'const x = Math.random()'),
      plant('src/core/swarm/step.ts', 'export async function step() {}'),
      plant('src/core/swarm/step.ts', 'let p: Promise<void>'),
      plant('src/core/swarm/step.ts', 'setTimeout(() => {}, 1)'),
      plant('src/core/base/order.ts', 'names.sort((a, b) => a.localeCompare(b))'),
      plant('src/core/base/order.ts', 'new Intl.Collator()'),
      plant('src/core/base/order.ts', 'process.hrtime()'),
      plant('src/core/codec/hash.ts', "import { createHash } from 'node:crypto'")
    ]
  },
  {
    name: 'errors are named',
    rule: rules.namedErrors,
    planted: [plant('src/rpc/server.ts', "if (x) throw new Error('no')")]
  },
  {
    name: 'nothing is left for later',
    rule: rules.finished,
    planted: [
      plant('src/rpc/server.ts', `// ${later}: later`),
      plant('test/unit/x.spec.ts', `/* ${later} */`)
    ]
  },
  {
    name: 'files fit into a head',
    rule: rules.fileLength,
    planted: [plant('src/rpc/server.ts', 'x\n'.repeat(rules.FILE_LINES_MAX + 1))]
  },
  {
    name: 'names are kebab-case and say something',
    rule: rules.names,
    planted: [
      plant('src/rpc/rpcServer.ts', ''),
      plant('src/Rpc/server.ts', ''),
      plant('src/rpc/rpc_server.ts', ''),
      plant('src/rpc/utils.ts', '')
    ]
  },
  {
    name: 'every room says what it is',
    rule: rules.roomComment,
    planted: [plant('src/rpc/index.ts', "export { connect } from './client.ts'")]
  },
  {
    name: 'titles of tests say what is',
    rule: rules.testTitles,
    planted: [plant('test/unit/x.spec.ts', `it(${"'should"} work', () => {})`)]
  }
]

describe('tidy/tree', () => {
  const source = sourceFiles('src')
  const tests = sourceFiles('test')

  it('sees the tree', () => {
    assert.ok(source.length >= SOURCE_FILES_MIN, `${source.length} files in src/`)
    assert.ok(tests.length >= TEST_FILES_MIN, `${tests.length} files in test/`)
    const rooms = new Set(source.map(file => roomOf(file.path)))
    for (const room of ['core/raft', 'adapters/libp2p', 'rpc', 'cli', 'node'])
      assert.ok(rooms.has(room), room)
  })

  for (const { name, rule, planted } of RULES) {
    it(`${name}`, () => {
      const wrong = [...source, ...tests].flatMap(file =>
        rule(file).map(what => `${file.path}: ${what}`)
      )
      assert.deepEqual(wrong, [])
    })

    it(`${name}: and a violation is found`, () => {
      for (const file of planted)
        assert.notDeepEqual(rule(file), [], `${file.path}: ${file.text.slice(0, 60)}`)
    })
  }

  it('has no circles of imports', () => {
    assert.deepEqual(rules.cycles([...source, ...tests]), [])
  })

  it('has no circles of imports: and one is found', () => {
    const a = plant('src/rpc/a.ts', "import { b } from './b.ts'")
    const b = plant('src/rpc/b.ts', "import { type C, c } from './c.ts'")
    const c = plant('src/rpc/c.ts', "export { a } from './a.ts'")
    assert.equal(rules.cycles([a, b, c]).length, 1)
  })

  it('declares every package that it imports', () => {
    const read = (path: string) =>
      JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'))
    const manifest = read('package.json')
    // Packages of ours that stand in for others.
    const workspaces = manifest.workspaces.map((path: string) => read(`${path}/package.json`).name)
    const declared = new Set([...Object.keys(manifest.dependencies), ...workspaces])
    assert.deepEqual(rules.undeclaredPackages(source, declared), [])
    const planted = plant('src/rpc/a.ts', "import x from '@scope/name/part'")
    assert.deepEqual(rules.undeclaredPackages([planted], new Set()), [
      '@scope/name in src/rpc/a.ts'
    ])
  })

  it('has an import table without circles', () => {
    const rooms = Object.entries(IMPORT_TABLE).map(([room, others]) =>
      plant(
        `src/${room}/index.ts`,
        others
          .map(other => `import '${'../'.repeat(room.split('/').length)}${other}/index.ts'`)
          .join('\n')
      )
    )
    assert.deepEqual(rules.cycles(rooms), [])
  })

  it('runs every spec file once, by the scripts of package.json', () => {
    const specs = tests.map(({ path }) => path).filter(path => path.endsWith('.spec.ts'))
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    assert.deepEqual(specsOf(`${scripts['test:unit']} ${scripts.e2e}`).sort(), specs)
    // Mocha takes braces alone for the name of a file that is not there, and goes on without it.
    assert.throws(() => specsOf("mocha --spec 'test/e2e/{kill,plan}.spec.ts'"), /kill/u)
    assert.notDeepEqual(specsOf("mocha --spec 'test/unit/**/*.spec.ts'"), specs)
  })

  it('looks for words in code only', () => {
    assert.deepEqual(
      rules.pureCore(plant('src/core/base/x.ts', "// Date\n/* Promise */\nconst x = 'async'")),
      []
    )
  })
})

/** The files that mocha finds by the patterns of a command line. */
function specsOf(command: string): string[] {
  const patterns = [...command.matchAll(/--spec '([^']+)'/gu)].map(([, pattern]) => pattern ?? '')
  for (const pattern of patterns) assert.match(pattern, /[*(]/u, pattern)
  return patterns.flatMap(pattern => globSync(pattern, { cwd: ROOT }))
}
