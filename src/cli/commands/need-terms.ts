import { type Command, InvalidArgumentError, Option } from 'commander'
import type { NeedRequest } from '../../rpc/index.ts'
import { collect } from '../config-options.ts'

/** What a NEED asks of those who take part. */
export type TermsOptions = {
  readonly inZone?: readonly string[]
  readonly withTag?: readonly string[]
  readonly perOrg?: number
  readonly perZone?: number
  readonly tokens?: number
}

/** Option of each term, whether it lists names, and what it is. */
const TERMS = [
  ['--in-zone <NAME>', true, 'where it may be done; more than once for more zones'],
  ['--with-tag <NAME>', true, 'what the worker must be; more than once for more tags'],
  ['--per-org <N>', false, 'verifiers of one org that count'],
  ['--per-zone <N>', false, 'verifiers in one zone that count'],
  ['--tokens <N>', false, 'tokens that the work may use']
] as const

export function addTermsOptions(command: Command): void {
  for (const [option, isList, help] of TERMS) {
    const added = new Option(option, `Terms: ${help}.`)
    command.addOption(isList ? added.argParser(collect) : added.argParser(parseWhole))
  }
}

/** Nothing when no term is asked for. */
export function termsOf(options: TermsOptions): Pick<NeedRequest, 'terms'> {
  const { inZone, withTag, perOrg, perZone, tokens } = options
  const terms = {
    ...(inZone === undefined ? {} : { zones: [...inZone] }),
    ...(withTag === undefined ? {} : { tags: [...withTag] }),
    ...(perOrg === undefined ? {} : { perOrg }),
    ...(perZone === undefined ? {} : { perZone }),
    ...(tokens === undefined ? {} : { tokensMax: tokens })
  }
  return Object.keys(terms).length === 0 ? {} : { terms }
}

function parseWhole(text: string): number {
  if (!/^\d{1,15}$/u.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}
