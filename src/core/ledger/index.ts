/** Credits: how the escrow of a thread is split. Integer arithmetic, conserved by construction (P5). */
export { type Payout, type Settlement, settle } from './settle.ts'
