// Goal: a plan can be read at a glance, exported, and added to from the command line. Method: the program runs in this process against fake handlers.
import assert from 'node:assert/strict'
import { PlanState } from '../../../src/core/plan/index.ts'
import { RefusedError } from '../../../src/rpc/index.ts'
import { CID_A, CID_B, DID_A, DID_B, fakeThread } from '../../support/fake-handlers.ts'
import { fakeNode } from '../../support/fake-node.ts'
import { sampleChanges, samplePlan } from '../../support/sample-plan.ts'

const link = (parent: string, child: string) => ({ kind: 'LINK', parent, child }) as const

describe('cli/plan', () => {
  const node = fakeNode()
  const serve = (plan = samplePlan()) =>
    node.serve({
      'plan.get': async () => plan,
      'plan.changes': async () => ({ changes: sampleChanges(), next: null }),
      'thread.get': async () => fakeThread()
    })

  it('draws what each task waits for below it, shared tasks once', async () => {
    await serve()
    const { stdout } = await node.run(['plan', CID_B])
    const tail = (id: string): string => `…${id.slice(-8)}`
    assert.deepEqual(stdout.split('\n'), [
      'text/word-count  DRAFT  waits for 1',
      '└─ merge  text/merge  DRAFT  waits for 2',
      `   ├─ count-1  text/count  DECIDED  by ${tail(DID_A)}  thread ${tail(CID_B)}`,
      `   │  └─ split  text/split  FINAL  -> ${tail(CID_A)}`,
      '   └─ count-2  text/count  DRAFT  ready  attempt 1: EXPIRED: no bids',
      '      └─ split  (see above)',
      ''
    ])
  })

  it("lets no stranger's words move the cursor, name the window or make rows of their own", async () => {
    const hostile = '\u001b[2J\u001b]0;title\u0007\u009b31mfake\n\u202eFINAL'
    const plan = samplePlan([{ kind: 'ANNOTATE', task: 'merge', key: 'failed', value: hostile }])
    await serve(plan)
    assert.equal((await node.run(['plan', CID_B])).stdout.split('\n').length, 7)
    for (const argv of [[], ['--facts'], ['--dot'], ['--json']]) {
      const { stdout } = await node.run(['plan', CID_B, ...argv])
      assert.doesNotMatch(stdout, /[^\P{Cc}\n]/u, argv.join(' '))
      if (argv[0] === '--json') assert(stdout.includes(String.raw`\u001b[2J`))
    }
  })

  it('leaves links out that close a circle, and says so', async () => {
    await serve(samplePlan([link('merge', 'split')]))
    const { stdout, stderr } = await node.run(['plan', CID_B])
    assert.equal(stdout.split('\n').length, 7)
    assert.match(stderr, /left out: split waits for merge \(CYCLE\)/u)
  })

  it('cuts long chains and wide plans to what can be read', async () => {
    const chain = Array.from({ length: 240 }, (_, index) => link(`t${index}`, `t${index + 1}`))
    const wide = Array.from({ length: 2500 }, (_, index) => link(`w${index}`, 'all'))
    await serve(samplePlan([...chain, ...wide]))
    const lines = (await node.run(['plan', CID_B])).stdout.split('\n')
    const deepest = lines.findIndex(line => line.trim() === '└─ ...')
    assert.match(lines[deepest - 1] ?? '', /t201 /u)
    assert.equal(lines.at(-2), '...')
    assert.ok(lines.length < 2100)
  })

  it('does not show what strangers note as if the coordinator had said it', async () => {
    await serve({ ...samplePlan(), insiders: [DID_B] })
    const { stdout } = await node.run(['plan', CID_B])
    assert.match(stdout, /count-1 {2}text\/count {2}DECIDED\n/u)
    assert.doesNotMatch(stdout, /attempt 1|by …|thread …/u)
  })

  it('marks tasks of a branch that lost, also for Graphviz', async () => {
    const plan = samplePlan()
    const tasks = plan.view.tasks.map(task =>
      task.task === 'split' ? { ...task, orphanedByEpoch: 3 } : task
    )
    await serve({ ...plan, view: { ...plan.view, tasks } })
    const { stdout } = await node.run(['plan', CID_B, '--dot'])
    assert.match(
      stdout,
      /"split" \[label="split\\ntext\/split\\nFINAL\\norphaned by epoch 3" fillcolor=palegreen style="filled,dashed" fontcolor=gray40\]/u
    )
    assert.match(
      (await node.run(['plan', CID_B])).stdout,
      /split {2}text\/split {2}FINAL {2}orphaned by epoch 3/u
    )
  })

  it('exports it for Graphviz', async () => {
    await serve(samplePlan([link('merge', 'split')]))
    const { stdout } = await node.run(['plan', CID_B, '--dot'])
    assert.match(stdout, /^digraph plan \{\n/u)
    assert.match(stdout, /"split" \[label="split\\ntext\/split\\nFINAL" fillcolor=palegreen\]/u)
    assert.match(stdout, /"split" -> "count-1"\n/u)
    assert.match(stdout, /"merge" -> "split" \[style=dashed color=red constraint=false\]\n\}\n$/u)
  })

  it('exports it as JSON, from "plan" and from "thread --plan"', async () => {
    await serve()
    for (const argv of [
      ['plan', CID_B, '--json'],
      ['thread', CID_B, '--plan', '--json']
    ]) {
      // biome-ignore format: pairs
      const document = JSON.parse((await node.run(argv)).stdout)
      assert.equal(document.schema, 'can-swarm/plan/1')
      assert.equal(document.view.tasks.length, 5)
      assert.deepEqual(document.graph.ready, ['count-2'])
    }
  })

  it('shows with "thread --plan" what became of branches that lost', async () => {
    const told = { id: CID_A, sender: DID_A, merged: [CID_B], orphaned: [CID_A], salvaged: [] }
    await node.serve({
      'plan.get': async () => samplePlan(),
      'thread.get': async () => fakeThread({ reconciles: [told] })
    })
    const { stdout } = await node.run(['thread', CID_B, '--plan'])
    const tail = DID_A.slice(-8)
    assert.match(
      stdout,
      new RegExp(`RECONCILE +by …${tail} +merged 1, orphaned 1, salvaged 0`, 'u')
    )
    assert.ok(stdout.endsWith(`  orphaned  ${CID_A}\n`))
    const document = JSON.parse((await node.run(['thread', CID_B, '--plan', '--json'])).stdout)
    assert.deepEqual(document.reconciles, [told])
  })

  it('shows the facts, each with who said it', async () => {
    await serve()
    const { stdout, stderr } = await node.run(['plan', CID_B, '--facts'])
    assert.match(stdout, /4 +…\w{8} +LINK +parent split, child count-1/u)
    assert.match(stderr, /heads abc/u)
  })

  it('shows the fields of a fact in one order, in whatever order they came', async () => {
    const [change] = sampleChanges()
    assert.ok(change !== undefined)
    const facts = [
      { child: 'b', kind: 'LINK', parent: 'a' },
      { key: 'note', kind: 'ANNOTATE', task: 'a', value: 'later' },
      { kind: 'ADD_TASK', task: 'a', type: 'text/a', produces: [], requires: ['gpu'] }
    ] as const
    const asked: unknown[] = []
    await node.serve({
      'plan.get': async () => samplePlan(),
      'plan.changes': async ({ after }) => {
        asked.push(after)
        const changes = [{ ...change, facts: facts.slice(asked.length - 1, asked.length) as never }]
        return { changes, next: asked.length < facts.length ? CID_A : null }
      }
    })
    const { stdout } = await node.run(['plan', CID_B, '--facts'])
    assert.deepEqual(asked, [undefined, CID_A, CID_A])
    assert.match(stdout, / parent a, child b\n/u)
    assert.match(stdout, / task a, key note, value later\n/u)
    assert.match(stdout, / task a, type text\/a, requires \[gpu\], produces \[\]\n/u)
  })

  it('says how much of a plan that strangers have filled is not shown', async () => {
    const left = { tasks: 12, links: 34, items: 5, forks: 6 }
    await serve({ ...samplePlan(), left })
    for (const argv of [[], ['--dot']]) {
      const { stderr } = await node.run(['plan', CID_B, ...argv])
      assert.match(stderr, /12 tasks, 34 links, 5 inputs, outputs and notes, and 6 forks/u)
    }
    const document = JSON.parse((await node.run(['plan', CID_B, '--json'])).stdout)
    assert.deepEqual(document.left, left)
  })

  it('shows one task, all that it waits for, and all that wait for it', async () => {
    const state = new PlanState()
    for (const change of sampleChanges()) state.apply(change)
    let asked: unknown
    await node.serve({
      'plan.task': async params => {
        asked = params
        const { task } = params
        return {
          ...(state.excerptOf(task) as NonNullable<ReturnType<PlanState['excerptOf']>>),
          ancestors: state.ancestors(task),
          descendants: state.descendants(task),
          blockers: state.blockers(task)
        }
      }
    })
    const { stdout } = await node.run(['plan', CID_B, '--task', 'merge'])
    assert.deepEqual(asked, { thread: CID_B, task: 'merge' })
    assert.deepEqual(stdout.split('\n'), [
      'merge  text/merge  DRAFT',
      '  blocked by     count-1',
      '  blocked by     count-2',
      '  waits for      split',
      '  waited for by  text/word-count',
      ''
    ])
    const document = JSON.parse(
      (await node.run(['plan', CID_B, '--task', 'split', '--json'])).stdout
    )
    assert.deepEqual(document.descendants, ['count-1', 'count-2', 'merge', 'text/word-count'])
    assert.equal((await node.run(['plan', CID_B, '--task', 'split', '--dot'])).code, 2)
  })

  it('states facts', async () => {
    let said: unknown
    await node.serve({
      'plan.add': async params => {
        said = params
        return { envelope: CID_A }
      }
    })
    const words = [
      'add-task:a:text/upper',
      'requires:a:bafy:b',
      'state:a:FINAL',
      'link:a:b',
      'annotate:a:k=v=w:x'
    ].map(word => word.replace('bafy:b', CID_A))
    const { stdout } = await node.run(['plan', 'add', CID_B, ...words])
    assert.equal(stdout, `${CID_A}\n`)
    assert.deepEqual(said, {
      thread: CID_B,
      facts: [
        {
          kind: 'ADD_TASK',
          task: 'a',
          type: 'text/upper',
          requires: ['text/upper'],
          produces: []
        },
        { kind: 'REQUIRES', task: 'a', artifact: CID_A },
        { kind: 'STATE', task: 'a', state: 'FINAL' },
        { kind: 'LINK', parent: 'a', child: 'b' },
        { kind: 'ANNOTATE', task: 'a', key: 'k', value: 'v=w:x' }
      ]
    })
  })

  it('says what is wrong with a fact, and passes on what the node refuses', async () => {
    await node.serve({
      'plan.add': async () => {
        throw new RefusedError({ code: 'PLAN_CYCLE', message: 'a waits for b waits for a' })
      }
    })
    for (const word of ['link:a', 'nothing:a:b', 'state:a:DONE', 'annotate:a:b', 'a'])
      assert.equal((await node.run(['plan', 'add', CID_B, word])).code, 2, word)
    const said = async (word: string): Promise<string> =>
      (await node.run(['plan', 'add', CID_B, word])).stderr
    assert.match(await said('produces:a:no-cid'), /"produces:a:no-cid": artifact must be a CID \[/u)
    assert.match(await said('add-task:Bad Name:t'), /task must be a lower-case name such as/u)
    assert.equal((await node.run(['plan', '--dot', 'add', CID_B, 'link:a:b'])).code, 2)
    const refused = await node.run(['plan', 'add', CID_B, 'link:a:b'])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /a waits for b waits for a.*\[PLAN_CYCLE\]/u)
  })
})
