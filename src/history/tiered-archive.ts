import type { Archive } from '../ports/index.ts'
import type { ColdStore } from './cold-store.ts'

/** The archive with what went cold behind it: a reader sees one archive, and what is cold is slower. */
export function tieredArchive(hot: Archive, cold: ColdStore): Archive {
  return {
    put: entries => hot.put(entries),
    get: async thread => {
      const entry = await hot.get(thread)
      if (entry === undefined || entry.records.length > 0) return entry
      const kept = await cold.get(thread)
      return kept === undefined ? entry : { ...entry, records: kept.records }
    },
    line: thread => hot.line(thread),
    drop: threads => hot.drop(threads),
    list: options => hot.list(options),
    count: () => hot.count(),
    close: () => hot.close()
  }
}
