import type { Command } from 'commander'
import { FLAG_KEYS, FLAGS, redactConfig, settingOf } from '../../config/index.ts'
import { addConfigOptions, configFlags } from '../config-options.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addConfigCommands(program: Command, shell: Shell): void {
  const config = program.command('config').description('Settings of the node.')
  examples(config, ['config show'])
  const show = config
    .command('show')
    .description('The settings that "can-swarm start" would use, without secrets.')
    .option('--origin', 'Say where each one comes from: default, file, env or flag.')
    .action(shell.action(showConfig))
  addConfigOptions(show)
  examples(show, ['config show', 'config show --origin', 'config show --json'])
}

async function showConfig(session: Session, options: { origin?: boolean }): Promise<void> {
  const { config, origins, file } = session.load(configFlags(options))
  const shown = redactConfig(config)
  const value = options.origin === true ? { file, config: shown, origins } : { file, config: shown }
  await session.out.document('config', value, async () => {
    const keys = FLAG_KEYS.filter(key => FLAGS[key].hidden !== true || origins[key] !== 'default')
    const rows = keys.map(key => [
      key,
      JSON.stringify(settingOf(shown, key)),
      ...(options.origin === true ? [origins[key]] : [])
    ])
    await session.out.table(
      ['setting', 'value', ...(options.origin === true ? ['origin'] : [])],
      rows
    )
  })
}
