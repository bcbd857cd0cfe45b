export type { PolicyDecision, PolicyInput, PolicyValue } from './types.ts'
