export type { PolicyDecision, PolicyInput, PolicyValue } from './types.ts'
export { CAPABILITY_OF_VERB } from './capabilities.ts'
