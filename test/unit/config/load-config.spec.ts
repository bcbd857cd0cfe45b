// Goal: a setting comes from the right place, and everything that is wrong is said at once.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  ConfigInvalidError,
  defaultConfig,
  envName,
  FLAG_KEYS,
  FLAGS,
  loadConfig,
  optionName,
  readPassphrase,
  redactConfig,
  validateConfig
} from '../../../src/config/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('config/load-config', () => {
  const folder = temporaryFolder()
  const write = (settings: unknown): void =>
    writeFileSync(join(folder.path, 'config.json'), JSON.stringify(settings))
  const load = (env: Record<string, string> = {}, flags = {}) =>
    loadConfig({ env, flags: { 'home.dir': folder.path, ...flags } })
  const problemsOf = (action: () => unknown): string[] => {
    try {
      action()
    } catch (error) {
      assert.ok(error instanceof ConfigInvalidError)
      assert.equal(error.code, 'CONFIG_INVALID')
      return error.problems.map(problem => `${problem.source}: ${problem.key}`)
    }
    return []
  }

  it('takes the defaults when nothing is given, and they are valid', () => {
    const { config, origins } = load()
    assert.deepEqual(config.network, defaultConfig().network)
    assert.equal(config.home.dir, folder.path)
    assert.equal(origins['network.name'], 'default')
    assert.equal(origins['home.dir'], 'flag')
    assert.deepEqual(validateConfig(defaultConfig()), [])
  })

  it('prefers flags to the environment to the file to the defaults', () => {
    write({
      network: { name: 'file', mdns: false },
      runtime: { tickMs: 20 },
      log: { level: 'warn' }
    })
    const env = { CAN_SWARM_NETWORK_NAME: 'env', CAN_SWARM_RUNTIME_TICK_MS: '30' }
    const { config, origins } = load(env, { 'network.name': 'flag' })
    assert.equal(config.network.name, 'flag')
    assert.equal(config.runtime.tickMs, 30)
    assert.equal(config.log.level, 'warn')
    assert.equal(config.network.mdns, false)
    assert.deepEqual(
      [
        origins['network.name'],
        origins['runtime.tickMs'],
        origins['log.level'],
        origins['log.format']
      ],
      ['flag', 'env', 'file', 'default']
    )
  })

  it('finds the home by flag, environment and XDG in this order', () => {
    const home = (env: Record<string, string>, flags = {}) =>
      loadConfig({ env, flags }).config.home.dir
    assert.equal(home({ CAN_SWARM_HOME: '/nowhere/b' }, { 'home.dir': '/nowhere/a' }), '/nowhere/a')
    assert.equal(home({ CAN_SWARM_HOME: '/nowhere/b' }), '/nowhere/b')
    assert.equal(home({ XDG_DATA_HOME: '/nowhere/c' }), '/nowhere/c/can-swarm')
    assert.match(home({ XDG_DATA_HOME: 'relative' }), /\/\.local\/share\/can-swarm$/u)
  })

  it('parses lists and booleans of the environment', () => {
    const { config } = load({
      CAN_SWARM_NETWORK_LISTEN: '/ip4/127.0.0.1/tcp/0, /ip6/::1/tcp/0',
      CAN_SWARM_NETWORK_MDNS: '0'
    })
    assert.deepEqual(config.network.listen, ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'])
    assert.equal(config.network.mdns, false)
  })

  it('reports every problem at once with where it came from', () => {
    write({ network: { nmae: 'x', listen: ['tcp:1'] }, log: 'loud', keystore: { passphrase: 'p' } })
    const file = join(folder.path, 'config.json')
    const problems = problemsOf(() =>
      load({ CAN_SWARM_RUNTIME_TICK_MS: 'fast' }, { 'agents.work': ['text/poetry'] })
    )
    const expected = [
      '--work: agents.work',
      'CAN_SWARM_RUNTIME_TICK_MS: runtime.tickMs',
      `${file}: keystore.passphrase`,
      `${file}: log`,
      `${file}: network.listen`,
      `${file}: network.nmae`
    ]
    assert.deepEqual(problems.sort(), expected.sort())
  })

  for (const [name, settings] of [
    ['a number out of range', { runtime: { tickMs: 1 } }],
    ['a fraction', { runtime: { tickMs: 7.5 } }],
    ['a port above 65535', { network: { listen: ['/ip4/127.0.0.1/tcp/70000'] } }],
    ['an address to join without a peer id', { network: { join: ['/ip4/127.0.0.1/tcp/4001'] } }],
    ['a network name with spaces', { network: { name: 'my net' } }],
    [
      'an election faster than two heartbeats',
      { consensus: { electionTicksMin: 3, heartbeatTicks: 2 } }
    ],
    ['a home inside the home', { home: { dir: '/tmp' } }],
    ['nothing to listen on', { network: { listen: [] } }],
    ['65 addresses', { network: { listen: Array(65).fill('/ip4/127.0.0.1/tcp/0') } }],
    ['a list where one object belongs', []]
  ] as const)
    it(`refuses ${name}`, () => {
      write(settings)
      assert.equal(problemsOf(() => load()).length, 1)
    })

  it('refuses a file that is not JSON, and one that cannot be read', () => {
    writeFileSync(join(folder.path, 'config.json'), '{"network":')
    assert.equal(problemsOf(() => load()).length, 1)
    const other = join(folder.path, 'other')
    mkdirSync(join(other, 'config.json'), { recursive: true })
    assert.equal(problemsOf(() => loadConfig({ env: {}, flags: { 'home.dir': other } })).length, 1)
  })

  it('names environment variables that are no settings', () => {
    assert.deepEqual(load({ CAN_SWARM_TICKMS: '1' }).unknownEnv, ['CAN_SWARM_TICKMS'])
  })

  it('never shows the passphrase', () => {
    const { config } = load({ CAN_SWARM_PASSPHRASE: 'hunter2' })
    assert.equal(readPassphrase(config), 'hunter2')
    assert.doesNotMatch(JSON.stringify(redactConfig(config)), /hunter2/u)
  })

  it('reads the passphrase from the first line of a file', () => {
    const file = join(folder.path, 'passphrase')
    writeFileSync(file, 'correct horse\nbattery')
    assert.equal(readPassphrase(load({ CAN_SWARM_PASSPHRASE_FILE: file }).config), 'correct horse')
    writeFileSync(file, '\n')
    assert.equal(
      problemsOf(() => readPassphrase(load({ CAN_SWARM_PASSPHRASE_FILE: file }).config)).length,
      1
    )
    assert.equal(readPassphrase(load().config), null)
  })

  it('prefers a passphrase of this run to the file of the settings', () => {
    write({ keystore: { passphraseFile: '/nowhere/secret' } })
    const { config } = load({ CAN_SWARM_PASSPHRASE: 'hunter2' })
    assert.equal(readPassphrase(config), 'hunter2')
    const both = { CAN_SWARM_PASSPHRASE: 'hunter2', CAN_SWARM_PASSPHRASE_FILE: '/nowhere/other' }
    assert.equal(problemsOf(() => load(both)).length, 1)
  })

  it('gives every setting its own option and variable', () => {
    const options = FLAG_KEYS.map(key => optionName(key, FLAGS[key])).filter(name => name !== null)
    const names = FLAG_KEYS.map(key => envName(key, FLAGS[key]))
    assert.equal(new Set(options).size, options.length)
    assert.equal(new Set(names).size, FLAG_KEYS.length)
    assert.ok(names.includes('CAN_SWARM_CONSENSUS_PRECISION_MS'))
    assert.ok(options.includes('consensus-precision-ms'))
  })
})
