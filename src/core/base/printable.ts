/** A stranger's text for a terminal or a log: control characters, and those that turn the direction of writing, become spaces; well-formed. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').toWellFormed()
}
