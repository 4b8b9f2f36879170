import { WORLD_PARTS } from '../src/app/compose-simulation.ts';
import { simulateSeed } from '../src/app/simulation/simulate.ts';
import { FAULT_SETS, type FaultSet } from '../src/app/simulation/fault-plan.ts';
const [seeds = '1', hours = '1', symbols = '4', faults = 'all', p] = process.argv.slice(2);
const [a, b = a] = seeds.split('..').map(Number);
for (let seed = a; seed <= b; seed++) {
  const c = process.cpuUsage(), t = performance.now();
  const r = await simulateSeed({ seed, hours: Number(hours), symbols: Number(symbols), faults: faults === 'all' ? FAULT_SETS : faults === 'none' ? [] : faults.split(',') as FaultSet[], ...(p ? { print: (l: string) => console.log(l.slice(0, 300)) } : {}) }, WORLD_PARTS);
  const d = process.cpuUsage(c);
  const { coverage, tail, ...rest } = r;
  console.log(JSON.stringify({ ...rest, cpuS: (d.user + d.system) / 1e6, x: r.simulatedHours * 3600 / ((d.user + d.system) / 1e6), wall: Math.round(performance.now() - t) }));
}
process.exit(0);
