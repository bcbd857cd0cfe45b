/**
 * `npm test`, after the build: the tests inside one process and those of real processes at the same time, since the latter mostly wait for each other. What
 * the latter say is shown when they are done.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const [inside, outside] = [spawnScript('test:unit', 'inherit'), spawnScript('e2e', 'pipe')]
const told: Buffer[] = []
outside.stdout?.on('data', (chunk: Buffer) => told.push(chunk))
outside.stderr?.on('data', (chunk: Buffer) => told.push(chunk))
const [[insideCode], [outsideCode]] = await Promise.all([
  once(inside, 'close'),
  once(outside, 'close')
])
process.stdout.write(Buffer.concat(told))
process.exitCode = insideCode === 0 && outsideCode === 0 ? 0 : 1

function spawnScript(name: string, output: 'inherit' | 'pipe'): ReturnType<typeof spawn> {
  return spawn('npm', ['run', '-s', name], { stdio: ['ignore', output, output] })
}
