/** Limits of what a policy is made of and asked, with unit and reason. */

/** Rego sources of one capsule together, in bytes: a person reads them before they trust it. */
export const SOURCES_BYTES_MAX: number = 1024 * 1024
/** Rego files of one capsule, without tests. */
export const SOURCE_FILES_MAX = 64
/** The capabilities file of the compiler, in bytes; ours has 17 KB. */
export const CAPABILITIES_BYTES_MAX: number = 256 * 1024
/** A capsule as a file, in bytes: all its blocks at their largest, and what frames them. */
export const CAPSULE_FILE_BYTES_MAX: number = 3 * 1024 * 1024
/** A manifest, or a file of vectors, in bytes: the block that they become is not larger. */
export const MANIFEST_BYTES_MAX: number = 1024 * 1024
/** A question as JSON text, in bytes. Far above what any policy can read: larger ones end in a trap, which is a deny. */
export const QUESTION_BYTES_MAX: number = 16 * 1024 * 1024
/** The compiler's output before compression, in bytes: the wasm, the sources, and some. */
export const BUNDLE_BYTES_MAX: number = 16 * 1024 * 1024
/** One run of the compiler, in ms. A guard: it takes a second. */
export const COMPILER_MS_MAX = 120_000
/** Characters of the compiler's complaints that are passed on: enough for the first ten errors. */
export const COMPLAINT_LENGTH_MAX = 4_000
