import { type Command, Option } from 'commander'
import type { ProofFormat, ProofSource } from '../replay/index.ts'
import { checkInput } from './input-file.ts'
import type { Session } from './session.ts'

export type ProofOptions = { readonly output?: string; readonly format: ProofFormat }

/** Where a proof goes, and how it is written. */
export function withProofOptions(command: Command): Command {
  return command
    .option('-o, --output <FILE>', 'File to write; standard output when absent.')
    .addOption(
      new Option('--format <FORMAT>', 'How the file says it: a line of DAG-JSON, or DAG-CBOR.')
        .choices(['json', 'cbor'])
        .default('json')
    )
}

/**
 * Writes a proof to its file and names it, or to stdout. With --json stdout carries the document, and in it the proof unless it
 * went to a file.
 */
export async function putProof(
  session: Session,
  schema: string,
  proof: object & { readonly base64: string },
  { output, format }: ProofOptions
): Promise<void> {
  const { renderProof, writeProof } = await import('../replay/index.ts')
  const { base64, ...about } = proof
  const bytes = new Uint8Array(Buffer.from(base64, 'base64'))
  if (output === undefined)
    return session.out.document(schema, { ...about, path: null, base64 }, () =>
      session.out.bytes(renderProof(bytes, format))
    )
  const path = session.path(output)
  await writeProof(path, renderProof(bytes, format))
  await session.out.document(schema, { ...about, path }, () => session.out.line(path))
}

/** What to check: a file that is there and not empty, or with - what comes on standard input. */
export async function proofSource(session: Session, file: string): Promise<ProofSource> {
  if (file === '-') return session.io.stdin
  const path = session.path(file)
  await checkInput(path)
  return path
}
