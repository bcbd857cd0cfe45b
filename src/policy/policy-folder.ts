import { lstat, readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as v from 'valibot'
import { CAPSULE_GAS_MAX, CAPSULE_STACK_MAX, CAPSULE_VECTORS_MAX } from '../adapters/opa/index.ts'
import { PolicySourceError } from './errors.ts'
import { MANIFEST_BYTES_MAX, SOURCE_FILES_MAX, SOURCES_BYTES_MAX } from './limits.ts'
import { checkQuestion } from './question.ts'

/** Files of a policy's folder besides its Rego. */
export const MANIFEST_FILE = 'policy.json'
export const VECTORS_FILE = 'vectors.json'

/** What a manifest that says nothing of it means: about twice the gas of the dearest envelope, and room for 400 levels of JSON. */
const LIMITS = { gas: 50_000_000, stack: 16_384 } as const

/** A policy as its author keeps it. */
export type PolicyFolder = {
  readonly name: string
  readonly entrypoint: string
  readonly limits: { readonly gas: number; readonly stack: number }
  /** Rego files by their path below the folder, tests included, in the order of their paths. */
  readonly files: readonly RegoFile[]
  readonly vectors: readonly WrittenVector[]
}

export type RegoFile = {
  readonly path: string
  readonly bytes: Uint8Array
  readonly isTest: boolean
}

/** A vector as people write it: gas may be left to the build. */
export type WrittenVector = v.InferOutput<typeof writtenVector>

const upTo = (max: number) =>
  v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(0),
    v.maxValue(max, `must be at most ${max}: no node gives an evaluation more`)
  )
const name = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9_]{0,63}$/u, 'must be a lower-case name such as strict')
)
const manifest = v.strictObject({
  name,
  entrypoint: v.exactOptional(
    v.pipe(
      v.string(),
      v.regex(
        /^[a-z][a-z0-9_]*(?:\/[a-z][a-z0-9_]*)+$/u,
        'must be the path of a rule, such as strict/decision'
      ),
      v.maxLength(256)
    )
  ),
  limits: v.exactOptional(
    v.strictObject({
      gas: upTo(CAPSULE_GAS_MAX),
      stack: upTo(CAPSULE_STACK_MAX)
    })
  )
})
const writtenVector = v.strictObject({
  name: v.pipe(v.string(), v.maxLength(256)),
  input: v.unknown(),
  decision: v.strictObject({
    allow: v.boolean(),
    reasons: v.array(v.string()),
    gas: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)))
  })
})
const vectorList = v.pipe(v.array(writtenVector), v.minLength(1), v.maxLength(CAPSULE_VECTORS_MAX))

/**
 * Reads `policy.json` (name; entrypoint, by default NAME/decision; limits), `vectors.json` and every Rego file below a folder. Rejects with
 * PolicySourceError.
 */
export async function readPolicyFolder(directory: string): Promise<PolicyFolder> {
  const read = await readJson(directory, MANIFEST_FILE, manifest)
  const vectors = await readJson(directory, VECTORS_FILE, vectorList)
  for (const vector of vectors) checkQuestion(vector.input, `the vector "${vector.name}"`)
  const files = await regoFiles(directory)
  if (!files.some(file => !file.isTest))
    throw flawed(directory, 'has no Rego file: write the rules in files that end in .rego')
  const { entrypoint = `${read.name}/decision`, limits = LIMITS } = read
  return { name: read.name, entrypoint, limits, files, vectors }
}

async function readJson<S extends v.GenericSchema>(
  directory: string,
  file: string,
  schema: S
): Promise<v.InferOutput<S>> {
  const path = join(directory, file)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'ENOENT'
        ? `has no ${file}`
        : `has a ${file} that cannot be read (${cause.code})`
    throw flawed(directory, `${why}: see policies/README.md for what it holds`, cause)
  })
  if (text.length > MANIFEST_BYTES_MAX)
    throw flawed(path, `is larger than ${MANIFEST_BYTES_MAX} bytes: leave out vectors`)
  const parsed = v.safeParse(schema, parsedJson(path, text))
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  const where = v.getDotPath(issue)
  if (issue.type === 'strict_object' && issue.expected === 'never')
    throw flawed(path, `has the unknown field ${where}: leave it out`)
  throw flawed(path, `is wrong: ${where === null ? '' : `${where}: `}${issue.message}`)
}

function parsedJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw flawed(path, `is not JSON: ${(cause as Error).message}`, cause)
  }
}

/** Links are not followed: what a policy is must not depend on what lies beside it. */
async function regoFiles(directory: string): Promise<RegoFile[]> {
  const names = await readdir(directory, { recursive: true })
  const paths = names.map(path => path.replaceAll('\\', '/')).filter(path => path.endsWith('.rego'))
  const files: RegoFile[] = []
  let total = 0
  for (const path of paths.sort()) {
    const full = join(directory, path)
    const stats = await lstat(full)
    if (!stats.isFile()) throw flawed(full, 'is no regular file: copy what it points to')
    const bytes = new Uint8Array(await readFile(full))
    const isTest = basename(path).endsWith('_test.rego')
    if (!isTest) total += bytes.length
    files.push({ path, bytes, isTest })
  }
  if (total > SOURCES_BYTES_MAX)
    throw flawed(directory, `has more than ${SOURCES_BYTES_MAX} bytes of Rego: make it smaller`)
  if (files.filter(file => !file.isTest).length > SOURCE_FILES_MAX)
    throw flawed(directory, `has more than ${SOURCE_FILES_MAX} Rego files: join some`)
  return files
}

function flawed(path: string, flaw: string, cause?: unknown): PolicySourceError {
  return new PolicySourceError(`${path} ${flaw}`, { path }, { cause })
}
