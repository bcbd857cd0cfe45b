export { type SeededRandom, seededRandom } from '../../src/simulator/index.ts'
