/** Every machine there is. The host registers these; nothing else can become a durable actor. */
import type { RiskJudge } from '../src/domain/risk.ts';
import type { Strategy } from '../src/domain/signal.ts';
import { createBreakerMachine } from './breaker.ts';
import type { MachineDefinition } from './definition.ts';
import { createEntryMachine } from './entry.ts';
import { createFeedMachine } from './feed.ts';
import { createGuardianMachine } from './guardian.ts';
import { createOperatorMachine } from './operator.ts';
import { createPortfolioMachine } from './portfolio.ts';
import { createPositionMachine } from './position.ts';
import { createScannerMachine } from './scanner.ts';

export interface MachineParts {
  readonly strategy: Strategy;
  readonly risk: RiskJudge;
}

export const machineDefinitions = ({ strategy, risk }: MachineParts): readonly MachineDefinition[] => [
  createScannerMachine(strategy),
  createEntryMachine(),
  createPortfolioMachine(risk),
  createBreakerMachine(),
  createFeedMachine(),
  createGuardianMachine(),
  createOperatorMachine(),
  createPositionMachine(),
];
