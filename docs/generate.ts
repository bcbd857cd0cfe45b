/** Writes the users' reference and the page of limits: `npm run docs`. A test fails while one is stale. */
import { writeFileSync } from 'node:fs'
import { reference } from '../src/cli/reference.ts'
import { limitsPage } from './limits.ts'

for (const [name, text] of [...reference(), ['limits.md', limitsPage()] as const])
  writeFileSync(new URL(name, import.meta.url), text)
