import { execFileSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The oldest Node whose syntax the bundle keeps to. */
const OLDEST = 20
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A Node of this machine's PATH of another major version than the one that runs; null where there is none. */
export function otherNode(): { readonly path: string; readonly version: string } | null {
  const own = majorOf(process.version)
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'node')
    const version = existsSync(path) ? versionOf(path) : null
    if (version === null || majorOf(version) === own || majorOf(version) < OLDEST) continue
    return { path, version }
  }
  return null
}

/** A script of test/support with all of the program that it uses, as that Node can run it, in an empty folder. Returns its path. */
export async function bundled(script: string, folder: string): Promise<string> {
  await build({
    entryPoints: [join(ROOT, 'test/support', script), join(ROOT, 'src/replay/worker.ts')],
    outbase: ROOT,
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${OLDEST}`,
    logLevel: 'error',
    external: ['classic-level', '@automerge/automerge', 'tinypool'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
    }
  })
  for (const name of ['node_modules', 'policies'])
    symlinkSync(join(ROOT, name), join(folder, name), 'junction')
  return join(folder, 'dist/test/support', script.replace(/\.ts$/u, '.mjs'))
}

/** Null for what cannot say it. */
function versionOf(path: string): string | null {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return null
  }
}

function majorOf(version: string): number {
  return Number(/^v(\d+)/u.exec(version)?.[1] ?? 0)
}
