/** The live tree of supervisors as data: what each reports of itself and of its children. */
export type ChildState = 'starting' | 'running' | 'stopping' | 'restarting' | 'stopped';

export interface TreeNode {
  readonly id: string;
  readonly kind: 'worker' | 'supervisor';
  /** As its supervisor sees it. 'stopped': known but not running (finished, ignored, terminated). */
  readonly state: ChildState;
  /** What the child says of itself, e.g. "open.trailing"; a supervisor tells its strategy. */
  readonly status: string | undefined;
  /** How often it was started again since its supervisor started. */
  readonly restarts: number;
  /** 0 unless running or stopping. */
  readonly uptimeMs: number;
  readonly lastError: string | undefined;
  readonly children: readonly TreeNode[];
}
