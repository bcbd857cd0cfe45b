/** Writes the users' reference: `npm run docs`. A test fails while it is stale. */
import { writeFileSync } from 'node:fs'
import { reference } from '../src/cli/reference.ts'

for (const [name, text] of reference()) writeFileSync(new URL(name, import.meta.url), text)
