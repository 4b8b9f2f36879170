/** The machines of this program, for who draws them. */
import { machineDefinitions } from '../../../machines/index.ts';
import { riskJudge } from '../../risk/learning.ts';
import { STRATEGY_NAMES, strategyByName } from '../../strategy/strategy.ts';

// Whichever strategy it hosts, a scanner's chart is the same.
const [strategy = ''] = STRATEGY_NAMES;

export const machines = machineDefinitions({ strategy: strategyByName(strategy), risk: riskJudge });
