/**
 * Metering of policy wasm (R17): bytes in, instrumented bytes out, or a refusal.
 *
 * 1. The caller validates the input and compiles the output: types are not checked here, and code that cannot be reached is
 *    left out unseen.
 * 2. The caller sets both counters before each evaluation, and puts memory and globals back to what they were.
 * 3. An instance that trapped is not used again: its stack counter is not given back.
 * 4. Nothing here throws on untrusted bytes, and equal bytes give equal results.
 *
 * Specification: protocols/policy/metering.md.
 */
export type { MeteringCode } from './byte-reader.ts'
export * from './limits.ts'
export { EXPORTS, INITIAL_GAS, INITIAL_STACK, meterModule } from './meter.ts'
export { METERING_RULES } from './rules.ts'
