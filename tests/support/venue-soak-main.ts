/** The program itself, with one more strategy to choose. */

import { RESTLESS, Restless } from '../../src/app/simulation/restless.ts';
import { registerStrategy } from '../../src/strategy/strategy.ts';

registerStrategy(RESTLESS, (options) => new Restless(options as { exitsOneIn?: number }));
await import('../../src/app/main.ts');
