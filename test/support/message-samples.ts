/** Direct messages as the nodes of a thread of two epochs send them, and what none of them sends; written by make-sync-vectors.ts. */
import { strict as assert } from 'node:assert'
import { encode } from '../../src/core/codec/index.ts'
import type { EpochSeal } from '../../src/core/envelope/index.ts'
import {
  groupIdOf,
  joinBytes,
  rosterHash,
  sealBytes,
  voteBytes
} from '../../src/core/roster/index.ts'
import type { PeerMessage } from '../../src/core/swarm/index.ts'
import { twoEpochs } from './two-epochs.ts'

/** Who signed a message, what its receiver knows beside it, and the bytes that the two make. */
export type Signature = {
  readonly signer: string
  readonly slot: string
  readonly epoch: number
  readonly signed: Uint8Array
}

export type Sample = {
  readonly message: object
  readonly signature?: Signature
  /** Of a batch: what becomes of each of its items. */
  readonly items?: readonly string[]
}

/** The code of the refusal, or `signature` where only that does not hold, and the words of the document that the message goes against. */
export type Spoilt = Omit<Sample, 'items'> & {
  readonly breaks: string
  readonly refusal: string
  /** In place of the message's own. */
  readonly bytes?: Uint8Array
}

export type Samples = {
  /** The protocol that says what the message is. */
  readonly document: string
  readonly valid: { readonly [name: string]: Sample }
  readonly invalid: { readonly [name: string]: Spoilt }
}

type Type = PeerMessage['type'] | 'batch'
type Of<T extends PeerMessage['type']> = Extract<PeerMessage, { readonly type: T }>

const { cluster, node, thread, need, forms, decides, finalize } = twoEpochs()
const [first, second] = forms
const { slot, roster, candidates } = first.envelope.payload
const [firstGroup, secondGroup] = [groupIdOf(first.bytes), groupIdOf(second.bytes)]
const entries = node.swarm.log(thread)?.entries.slice(0, 3) ?? []
const manifests = [...node.swarm.manifests().values()].map(({ bytes }) => bytes)
const [entry] = entries
const [join] = first.envelope.payload.joins
const [seal] = (second.envelope.payload.seal as EpochSeal).seals
const { certificate } = decides[0].envelope.payload
const { certificate: ending } = finalize.envelope.payload
const [vote] = certificate.votes
const [endingVote] = ending.votes
assert(entry && join && seal?.proposal && vote && endingVote && entries.length === 3)

const epoch = 0
const key = { thread, slot, epoch }
const promised = rosterHash(key, roster)
const nowhere = 'nowhere'
const long = 'x'.repeat(257)

function refuse(breaks: string, message: object, refusal = 'MESSAGE_UNKNOWN'): Spoilt {
  return { breaks, message, refusal }
}

/** What is wrong with any message in the same way. */
function spoiltFields(of: object, breaks: string, field: string): Samples['invalid'] {
  const { [field as keyof object]: _, ...less } = of
  return {
    'field-missing': refuse(breaks, less),
    'field-unknown': refuse('unknown fields are refused', { ...of, more: 0 }),
    'field-null': refuse(breaks, { ...of, [field]: null })
  }
}

function notCanonical(message: object, bytes: Uint8Array): Spoilt {
  return { ...refuse('canonical DAG-CBOR', message, 'NOT_CANONICAL'), bytes }
}

const hello: Of<'hello'> = { type: 'hello', threads: [thread] }
const envelopes: Of<'envelopes'> = { type: 'envelopes', items: [need.bytes, first.bytes] }
const pull: Of<'pull'> = { type: 'pull', thread, have: [need.id], group: firstGroup, entries: 2 }
const log: Of<'log'> = { type: 'log', group: secondGroup, thread, entries }
const invite: Of<'invite'> = { type: 'invite', need: need.bytes, epoch }
const available: Of<'available'> = { type: 'available', thread, epoch }
const bind: Of<'bind'> = {
  type: 'bind',
  thread,
  epoch,
  candidates: candidates.map(({ did, manifest }) => ({ did, manifest: manifest.toString() })),
  roster
}
const joined: Of<'join'> = { type: 'join', thread, epoch, rosterHash: promised, sig: join.sig }
const decline: Of<'decline'> = { type: 'decline', thread, epoch, reason: 'the thread has ended' }
const lacking: Of<'lacking'> = {
  type: 'lacking',
  thread,
  epoch,
  manifests: [bind.candidates[0]?.manifest ?? nowhere]
}
const lent: Of<'manifests'> = { type: 'manifests', thread, epoch, items: manifests.slice(0, 1) }
const sealAsk: Of<'seal-ask'> = { type: 'seal-ask', thread, epoch }
const shown = { digest: seal.digest, proposal: seal.proposal.toString() }
const nothing = { digest: null, proposal: null }
const sealed: Of<'sealed'> = {
  type: 'sealed',
  thread,
  epoch,
  roster: promised,
  ...shown,
  sig: seal.sig
}
const raft: Of<'raft'> = {
  type: 'raft',
  group: firstGroup,
  message: {
    from: roster[0] ?? nowhere,
    to: roster[1] ?? nowhere,
    term: 1,
    type: 'heartbeat-reply'
  }
}
const voted: Of<'vote'> = {
  type: 'vote',
  group: firstGroup,
  stage: 'decide',
  digest: certificate.digest,
  sig: vote.sig
}
const ended: Of<'vote'> = {
  ...voted,
  group: secondGroup,
  stage: 'outcome',
  digest: ending.digest,
  sig: endingVote.sig
}
const refused: Of<'refused'> = {
  type: 'refused',
  envelope: need.id,
  code: 'POLICY_DENIED',
  reasons: ['the budget is above what this network allows']
}
const batch = { type: 'batch', items: [encode(hello), encode(available)] }

function bySeal(of: Of<'sealed'>, signer: string): Signature {
  const { type: _, sig: __, ...subject } = of
  return { signer, slot, epoch, signed: sealBytes({ ...subject, slot }) }
}

function byVote({ group, stage, digest }: Of<'vote'>, signer: string, epoch: number): Signature {
  return { signer, slot, epoch, signed: voteBytes({ group, slot, epoch, stage, digest }) }
}

/** The SEAL of a member that is locked on nothing. */
function silentSeal(): Sample {
  const member = cluster.nodes.find(({ did }) => did === seal?.member)
  assert(member !== undefined)
  const silent = { ...sealed, ...nothing }
  const signature = bySeal(silent, member.did)
  return { message: { ...silent, sig: member.keys.sign(signature.signed) }, signature }
}

/** Each type of direct message, in the order in which the documents have them. */
export const SAMPLES: { readonly [T in Type]: Samples } = {
  hello: {
    document: 'sync',
    valid: {
      hello: { message: hello },
      'of-no-thread': { message: { ...hello, threads: [] } },
      'name-of-256-characters': { message: { ...hello, threads: [long.slice(1)] } }
    },
    invalid: {
      ...spoiltFields(hello, 'Hello', 'threads'),
      'name-of-257-characters': refuse('256 characters', { ...hello, threads: [long] }),
      'thread-as-bytes': refuse('Hello', { ...hello, threads: [new Uint8Array(36)] }),
      'type-unknown': refuse('unknown types', { ...hello, type: 'hail' }),
      'trailing-byte': notCanonical(hello, Uint8Array.of(...encode(hello), 0)),
      'list-of-indefinite-length': notCanonical(
        { ...hello, threads: [] },
        // {type: "hello", threads: []}, with a list that is ended by a break.
        Uint8Array.of(...encode({ ...hello, threads: [] }).slice(0, -1), 0x9f, 0xff)
      )
    }
  },
  envelopes: {
    document: 'sync',
    valid: { envelopes: { message: envelopes } },
    invalid: {
      ...spoiltFields(envelopes, 'Envelopes', 'items'),
      'item-as-text': refuse('Envelopes', { ...envelopes, items: [need.id] }),
      'of-2049-items': refuse('`envelopes.items`', {
        ...envelopes,
        items: Array.from({ length: 2_049 }, () => new Uint8Array(0))
      })
    }
  },
  pull: {
    document: 'sync',
    valid: {
      pull: { message: pull },
      'without-a-group': { message: { ...pull, have: [], group: null, entries: 0 } }
    },
    invalid: {
      ...spoiltFields(pull, 'Pull', 'have'),
      'entries-below-zero': refuse('Pull', { ...pull, entries: -1 }),
      'group-missing': refuse('Pull', { type: 'pull', thread, have: [], entries: 0 })
    }
  },
  log: {
    document: 'sync',
    valid: { log: { message: log } },
    invalid: {
      ...spoiltFields(log, 'Log', 'entries'),
      'entry-without-its-term': refuse('Entry', {
        ...log,
        entries: [{ index: entry.index, data: entry.data }]
      }),
      'entry-with-a-configuration': refuse('Entry', {
        ...log,
        entries: [{ ...entry, configuration: null }]
      })
    }
  },
  batch: {
    document: 'sync',
    valid: {
      batch: { message: batch, items: ['ok', 'ok'] },
      'with-a-bad-item': {
        message: { ...batch, items: [encode({ type: 'hail' }), encode(available)] },
        items: ['MESSAGE_UNKNOWN', 'ok']
      },
      'with-a-batch-inside': {
        message: { ...batch, items: [encode(batch), encode(available)] },
        items: ['MESSAGE_UNKNOWN', 'ok']
      }
    },
    invalid: {
      ...spoiltFields(batch, 'Batch', 'items'),
      'of-one-item': refuse('`batch.items`', { ...batch, items: [encode(hello)] }),
      'of-1025-items': refuse('`batch.items`', {
        ...batch,
        items: Array.from({ length: 1_025 }, () => new Uint8Array(0))
      })
    }
  },
  invite: {
    document: 'group',
    valid: { invite: { message: invite } },
    invalid: {
      ...spoiltFields(invite, 'Invite', 'need'),
      'need-as-its-id': refuse('Invite', { ...invite, need: need.id })
    }
  },
  available: {
    document: 'group',
    valid: { available: { message: available } },
    invalid: {
      ...spoiltFields(available, 'Available', 'epoch'),
      'epoch-beyond-2-53': refuse('Available', { ...available, epoch: 2n ** 53n })
    }
  },
  bind: {
    document: 'group',
    valid: { bind: { message: bind } },
    invalid: {
      ...spoiltFields(bind, 'Bind', 'candidates'),
      'candidate-without-a-manifest': refuse('Candidate', {
        ...bind,
        candidates: [{ did: roster[0] }]
      }),
      'of-65-candidates': refuse('candidates in a FORM or `bind`', {
        ...bind,
        candidates: Array.from({ length: 65 }, () => ({ did: 'did:key:z', manifest: 'b' }))
      })
    }
  },
  join: {
    document: 'group',
    valid: {
      join: {
        message: joined,
        signature: { signer: join.member, slot, epoch, signed: joinBytes(key, promised) }
      }
    },
    invalid: {
      ...spoiltFields(joined, 'Join', 'sig'),
      'roster-hash-of-31-bytes': refuse('Join', { ...joined, rosterHash: promised.slice(1) }),
      'signed-for-another-epoch': {
        ...refuse('GROUP-9', { ...joined, epoch: 1 }, 'signature'),
        signature: {
          signer: join.member,
          slot,
          epoch: 1,
          signed: joinBytes({ ...key, epoch: 1 }, promised)
        }
      }
    }
  },
  decline: {
    document: 'group',
    valid: { decline: { message: decline } },
    invalid: {
      ...spoiltFields(decline, 'Decline', 'reason'),
      'reason-of-4097-characters': refuse('4,096', { ...decline, reason: 'x'.repeat(4_097) })
    }
  },
  lacking: {
    document: 'group',
    valid: { lacking: { message: lacking } },
    invalid: {
      ...spoiltFields(lacking, 'Lacking', 'manifests'),
      'of-65-manifests': refuse('manifests in a `lacking`', {
        ...lacking,
        manifests: Array.from({ length: 65 }, () => 'b')
      })
    }
  },
  manifests: {
    document: 'group',
    valid: { manifests: { message: lent } },
    invalid: {
      ...spoiltFields(lent, 'Manifests', 'items'),
      'item-as-text': refuse('Manifests', { ...lent, items: lacking.manifests })
    }
  },
  'seal-ask': {
    document: 'group',
    valid: { 'seal-ask': { message: sealAsk } },
    invalid: {
      ...spoiltFields(sealAsk, 'SealAsk', 'thread'),
      'epoch-as-text': refuse('SealAsk', { ...sealAsk, epoch: '0' })
    }
  },
  sealed: {
    document: 'group',
    valid: {
      sealed: { message: sealed, signature: bySeal(sealed, seal.member) },
      'showing-nothing': silentSeal()
    },
    invalid: {
      ...spoiltFields(sealed, 'Sealed', 'roster'),
      'digest-of-33-bytes': refuse('Sealed', { ...sealed, digest: new Uint8Array(33) }),
      'proposal-as-a-link': refuse('Sealed', { ...sealed, proposal: seal.proposal }),
      'denying-what-was-signed': {
        ...refuse('GROUP-18', { ...sealed, ...nothing }, 'signature'),
        signature: bySeal({ ...sealed, ...nothing }, seal.member)
      }
    }
  },
  raft: {
    document: 'raft',
    valid: { raft: { message: raft } },
    invalid: {
      ...spoiltFields(raft, '{type: "raft", group, message}', 'message'),
      'message-of-no-type': refuse('`type`', { ...raft, message: { ...raft.message, type: 'x' } })
    }
  },
  vote: {
    document: 'group',
    valid: {
      decide: { message: voted, signature: byVote(voted, vote.member, 0) },
      outcome: { message: ended, signature: byVote(ended, endingVote.member, 1) }
    },
    invalid: {
      ...spoiltFields(voted, 'Vote', 'group'),
      'stage-unknown': refuse('Vote', { ...voted, stage: 'claim' }),
      'signature-of-63-bytes': refuse('Vote', { ...voted, sig: vote.sig.slice(1) }),
      'signed-for-another-stage': {
        ...refuse('GROUP-13', { ...voted, stage: 'outcome' }, 'signature'),
        signature: byVote({ ...voted, stage: 'outcome' }, vote.member, 0)
      },
      'signed-for-another-group': {
        ...refuse('GROUP-13', { ...voted, group: secondGroup }, 'signature'),
        signature: byVote({ ...voted, group: secondGroup }, vote.member, 1)
      }
    }
  },
  refused: {
    document: 'policy',
    valid: { refused: { message: refused } },
    invalid: {
      ...spoiltFields(refused, 'Refused', 'code'),
      'of-9-reasons': refuse('`refused`: reasons', {
        ...refused,
        reasons: Array.from({ length: 9 }, () => 'no')
      }),
      'code-of-65-characters': refuse('`refused`: reasons', { ...refused, code: 'X'.repeat(65) })
    }
  }
}
