/**
 * The port to the person's decisions, whichever way they come. What is said is answered, never thrown: what a
 * person did wrong is a refusal with its reason.
 */
import type { Command, Who } from '../domain/command.ts';

export interface OperatorRequest {
  /** Unique for what the person did: the same again gets the first answer, and nothing is done twice. */
  readonly id: string;
  readonly command: Command;
  readonly who: Who;
  /** Real epoch ms. */
  readonly issuedAt: number;
  /** Said a second time, having seen what it would do. */
  readonly confirmed: boolean;
}

/**
 * 'confirm': it moves money; ask again with `confirmed`. 'pending': taken, but the journal does not take rows now; it
 * is done as soon as it does.
 */
export interface OperatorAnswer {
  readonly id: string;
  readonly outcome: 'accepted' | 'refused' | 'confirm' | 'pending';
  readonly code: string;
  readonly text: string;
  /** The journal's row that is its audit. */
  readonly n?: number;
}

export interface Operator {
  execute(request: OperatorRequest): Promise<OperatorAnswer>;
  /** What it would do at this moment, in a sentence. */
  preview(command: Command): string;
}
