/** What carries a certificate. Written down again, beside the program's own lists: a checker takes no word of what it checks. */
export const CERTIFIED: ReadonlySet<string> = new Set(['DECIDE', 'FINALIZE', 'INVALIDATE'])
