import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import type { DoctorCheck } from '../../rpc/index.ts'
import type { Session } from '../session.ts'
import { examples, type Shell } from '../shell.ts'

export function addDoctorCommand(program: Command, shell: Shell): void {
  examples(
    program
      .command('doctor')
      .description(
        'Check this machine, the home and the running node; say what to do about what is wrong.'
      )
      .action(shell.action(doctor)),
    ['doctor', 'doctor --json']
  )
}

async function doctor(session: Session): Promise<void> {
  const checks = [programCheck(), ...(await homeChecks(session)), ...(await nodeChecks(session))]
  const ok = checks.every(check => check.ok)
  session.exitCode = ok ? 0 : 1
  await session.out.document('doctor', { ok, checks }, () => {
    for (const check of checks) {
      const mark = check.ok ? session.out.style('green', 'ok  ') : session.out.style('red', 'FAIL')
      session.out.line(`${mark}  ${check.name}: ${check.detail}`)
      if (!check.ok && check.fix !== '') session.out.line(`      ${check.fix}`)
    }
  })
}

function programCheck(): DoctorCheck {
  const major = Number(process.versions.node.split('.')[0])
  return {
    name: 'node.js',
    ok: major >= 24,
    detail: process.version,
    fix: 'Run it as "npx can-swarm" from the clone, which brings Node.js 24.'
  }
}

async function homeChecks(session: Session): Promise<DoctorCheck[]> {
  const { dir } = session.load().config.home
  const stats = await stat(dir).catch(() => null)
  if (stats === null)
    return [
      { name: 'home', ok: false, detail: `${dir} does not exist`, fix: 'Run "can-swarm init".' }
    ]
  const isPrivate = (stats.mode & 0o077) === 0
  return [
    {
      name: 'home',
      ok: isPrivate,
      detail: isPrivate ? dir : `${dir} is open to others`,
      fix: `Run "chmod 700 ${dir}".`
    }
  ]
}

async function nodeChecks(session: Session): Promise<DoctorCheck[]> {
  try {
    const { checks } = await session.call('node.doctor', {})
    return [{ name: 'node', ok: true, detail: 'answers', fix: '' }, ...checks]
  } catch (error) {
    if (session.signal.aborted) throw error
    return [
      { name: 'node', ok: false, detail: (error as Error).message, fix: 'Run "can-swarm start".' }
    ]
  }
}
