/**
 * Policies for those who write and judge them, on a machine that runs no node: folders become capsules, capsules become files, and both answer
 * questions.
 *
 * 1. A capsule is a DAG: its block and everything that it links to. Whatever it comes from, it is checked block by block.
 * 2. The same folder gives the same capsule on every machine; the compiler's version and its list of builtins are pinned.
 * 3. What an author is told is what a node would do: the same evaluator, gas and digest.
 *
 * Format: protocols/policy/README.md.
 */
export { type BuildInit, type Built, buildCapsule } from './build-capsule.ts'
export { type CapsuleDag, gatherCapsule, type LoadBlock, type Source } from './capsule-dag.ts'
export {
  decodeCapsuleFile,
  encodeCapsuleFile,
  readCapsuleFile,
  writeCapsuleFile
} from './capsule-file.ts'
export { compiledCapsule } from './compiled-folder.ts'
export { OPA_VERSION, type Run } from './compiler.ts'
export {
  CapsuleFileError,
  CompilerFailedError,
  CompilerUnavailableError,
  PolicyInputError,
  PolicySourceError,
  VectorFailedError
} from './errors.ts'
export { explainDecision, type Finding, type Judgement, openDag } from './judge-capsule.ts'
export { QUESTION_BYTES_MAX } from './limits.ts'
export { MANIFEST_FILE, VECTORS_FILE } from './policy-folder.ts'
export { checkQuestion, parseQuestion } from './question.ts'
export { BASE_NAME, basePath, capabilitiesPath, shippedCapsule } from './shipped.ts'
export { type TestReport, testCapsule, type VectorReport } from './test-capsule.ts'
