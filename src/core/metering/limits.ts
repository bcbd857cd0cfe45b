/**
 * Limits of a policy module. They are part of the metering rules: another value is another version of the rules. Each is some
 * times what OPA's compiler emits for a policy that uses every builtin (418 KB, 746 functions).
 */

/** Bytes of the module before metering. */
export const MODULE_BYTES_MAX: number = 1024 * 1024
/** Function types. OPA has 27. */
export const TYPES_MAX = 1024
/** Parameters of one function. OPA's longest list has 9. */
export const PARAMETERS_MAX = 32
/** Imports; the ABI has eight. */
export const IMPORTS_MAX = 16
/** Functions with a body. */
export const FUNCTIONS_MAX = 16_384
/** Parameters and locals of one function: they take stack, and engines write zeros into them at every call. */
export const LOCALS_MAX = 4096
/** Slots of one frame: parameters, locals and operands. A function that calls nothing stands on the stack uncounted. */
export const FRAME_SLOTS_MAX = 8192
/** Bytes of one function body: engines compile a function at once. */
export const BODY_BYTES_MAX: number = 256 * 1024
/** Blocks within blocks: validators and compilers recurse or keep a stack of them. */
export const NESTING_MAX = 1024
/** Labels of one br_table, its default not counted. */
export const BRANCH_TABLE_MAX = 4096
/** Globals. OPA has three. */
export const GLOBALS_MAX = 64
/** Exports. OPA has 26. */
export const EXPORTS_MAX = 256
/** Bytes of the name of an import or an export. */
export const NAME_BYTES_MAX = 128
/** Entries of the function table. */
export const TABLE_MAX = 16_384
/** Element and data segments, each kind. OPA writes one data segment for each block of constants. */
export const SEGMENTS_MAX = 4096
/** Pages of 64 KiB that the module may want at least: the smaller of the two memories that it is run in. */
export const MEMORY_PAGES_MIN_MAX = 16
/** Pages that a declared maximum must allow: the larger of the two memories. */
export const MEMORY_PAGES_MAX_MIN = 128
