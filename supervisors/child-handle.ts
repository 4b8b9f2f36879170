/** What a supervisor holds of a living child. */
import type { ExitReason } from './exit.ts';
import type { TreeNode } from './introspection.ts';

export interface ChildDescription {
  /** The child's own word for its state, e.g. "open.trailing". */
  readonly state: string;
  readonly lastError?: string;
  /** Of a supervisor: its children. */
  readonly children?: readonly TreeNode[];
}

export interface ChildHandle {
  stop(reason: ExitReason): Promise<void> | void;
  kill(): void;
  describe(): ChildDescription;
}
