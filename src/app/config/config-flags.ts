/** What the words of `bulkhead config …` ask for. */
import { isConfigCommand } from '../../operator/command.ts';
import { parseWords } from '../../operator/parse-command.ts';
import { type ParsedCommand, usage } from '../cli/cli-parse.ts';
import type { ConfigAsked } from '../cli/io.ts';

const LISTED = 20;
const WRITE = 'Write: bulkhead config show|versions|diff|set|rollback|reload; see bulkhead config --help';

export function configAsked({ args, flags }: ParsedCommand): ConfigAsked {
  const [what = '', ...rest] = args;
  const reason = flags.get('reason');
  const why = typeof reason === 'string' ? [reason] : [];
  switch (what) {
    case 'show':
      return { kind: 'show', part: only(1, rest)[0] ?? '' };
    case 'versions':
      return { kind: 'versions', limit: rest.length === 0 ? LISTED : numberOf(only(1, rest)[0]) };
    case 'diff': {
      const [from, to] = only(2, rest);
      return to === undefined
        ? { kind: 'diff', to: numberOf(from), from: undefined }
        : { kind: 'diff', to: numberOf(to), from: numberOf(from) };
    }
    case 'set':
    case 'rollback':
      if (why.length === 0)
        throw usage(`bulkhead config ${what} needs a reason: --reason WHY`, 'It stands beside the version.');
      return changed([`config-${what}`, ...rest, ...why]);
    case 'reload':
      return changed(['config-reload', ...only(0, rest), ...why]);
    default:
      throw usage(`bulkhead config: there is no "${what}".`, WRITE);
  }
}

function changed(words: readonly string[]): ConfigAsked {
  const command = parseWords(words);
  if (isConfigCommand(command)) return { kind: 'change', command };
  throw usage('bulkhead config changes the configuration only.', WRITE);
}

function only(most: number, words: readonly string[]): readonly string[] {
  if (words.length > most) throw usage(`"${words[most]}" is one word too many.`, WRITE);
  return words;
}

function numberOf(word: string | undefined): number {
  const number = Number(word);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw usage(`"${word ?? ''}" is no version such as 3.`, WRITE);
}
