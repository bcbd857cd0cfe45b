import { type ExecFileException, execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wasmOfBundle } from './bundle.ts'
import { CompilerFailedError, CompilerUnavailableError } from './errors.ts'
import { BUNDLE_BYTES_MAX, COMPILER_MS_MAX, COMPLAINT_LENGTH_MAX } from './limits.ts'

/** The one compiler whose output is the same everywhere. Another version compiles other bytes. */
export const OPA_VERSION = 'v1.22.0'
const INSTALL = `install it with: go install github.com/open-policy-agent/opa@${OPA_VERSION}`

/** Our own list of builtins, as a file in the folder that the compiler works in. */
export const CAPABILITIES_FILE = 'capabilities.json'

export type Run = { readonly ok: boolean; readonly output: string }

export type CompilerInit = {
  /** Of the user's shell: PATH says where `opa` is. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/** `opa` of the pinned version. It needs no network and is given none of ours. */
export class Compiler {
  readonly #init: CompilerInit

  private constructor(init: CompilerInit) {
    this.#init = init
  }

  /** Rejects with CompilerUnavailableError when there is none, or another version. */
  static async find(init: CompilerInit): Promise<Compiler> {
    const compiler = new Compiler(init)
    const { output } = await compiler.#run(['version'], process.cwd())
    const version = /^Version: (\S+)/u.exec(output)?.[1] ?? 'unknown'
    if (`v${version}` === OPA_VERSION) return compiler
    throw new CompilerUnavailableError(
      `opa is version ${version}, policies are compiled by ${OPA_VERSION}: ${INSTALL}`
    )
  }

  /** Runs the Rego unit tests below `folder`, a path in `directory`. */
  test(directory: string, folder: string): Promise<Run> {
    const capabilities = ['--capabilities', CAPABILITIES_FILE]
    // Of one test; the compiler's own limit of 5 s is soon over on a busy machine.
    const timeout = ['--timeout', `${COMPILER_MS_MAX / 1000}s`]
    return this.#run(['test', ...capabilities, ...timeout, '--ignore', '*.json', folder], directory)
  }

  /** Compiles `folder`, a path in `directory`: relative, because paths end up in the wasm. Rejects with CompilerFailedError. */
  async build(directory: string, folder: string, entrypoint: string): Promise<Uint8Array> {
    const bundle = 'bundle.tar.gz'
    const target = ['--target', 'wasm', '--optimize', '1', '--entrypoint', entrypoint]
    const ignored = ['--ignore', '*_test.rego', '--ignore', '*.json']
    const rules = ['--capabilities', CAPABILITIES_FILE]
    const { ok, output } = await this.#run(
      ['build', ...target, ...rules, ...ignored, '--output', bundle, folder],
      directory
    )
    if (!ok) throw new CompilerFailedError(`the policy does not compile: ${complaintOf(output)}`)
    return wasmOfBundle(await readFile(join(directory, bundle)))
  }

  #run(args: readonly string[], cwd: string): Promise<Run> {
    const { env, signal } = this.#init
    const options = { cwd, env, signal, timeout: COMPILER_MS_MAX, maxBuffer: BUNDLE_BYTES_MAX }
    const { promise, resolve, reject } = Promise.withResolvers<Run>()
    execFile('opa', args, options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason)
      if (error === null) return resolve({ ok: true, output: stdout + stderr })
      if (typeof error.code === 'number') return resolve({ ok: false, output: stdout + stderr })
      reject(unavailable(error))
    })
    return promise
  }
}

/** What the compiler says, without the stack of its own that it prints when it fails on what it should refuse. */
function complaintOf(output: string): string {
  const [complaint = ''] = output.trim().split('\n\ngoroutine ')
  return complaint.slice(0, COMPLAINT_LENGTH_MAX)
}

/** No exit status: it could not be started, or was ended. */
function unavailable(error: ExecFileException): CompilerUnavailableError {
  const why =
    error.code === 'ENOENT' ? 'opa is not on the PATH' : `opa does not run (${error.message})`
  return new CompilerUnavailableError(
    `${why}, and only opa compiles policies: ${INSTALL}`,
    {},
    { cause: error }
  )
}
