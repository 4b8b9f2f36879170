/** The program itself, with one more strategy to choose. */
import { registerStrategy } from '../../src/strategy/strategy.ts';
import { RESTLESS, Restless } from '../../src/app/simulation/restless.ts';

registerStrategy(RESTLESS, (options) => new Restless(options as { exitsOneIn?: number }));
await import('../../src/app/main.ts');
