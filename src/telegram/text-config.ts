/** The configuration's versions as texts: who, when, why, and what is different. Pure. */
import { moment } from '../core/amounts.ts';
import type { Json } from '../core/json.ts';
import type {
  ConfigChangeLine,
  ConfigDiffView,
  ConfigVersionLine,
  ConfigVersionView,
} from '../operator/views.ts';
import { bold, code, line, type Markup, type Message, text } from './markup.ts';

const LONGEST = 60;
/** Of one version in a list. */
const CHANGES_SHOWN = 4;

const short = (value: Json): string => {
  const words = typeof value === 'string' ? value : JSON.stringify(value);
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}\u2026` : words;
};

const changeLine = ({ key, before, after }: ConfigChangeLine): Markup =>
  line`${code(key)} ${short(before)} \u2192 ${short(after)}`;

const headLine = ({ version, at, by, why, runs }: ConfigVersionLine): Markup =>
  line`${runs ? '\u25B6 ' : ''}${bold(String(version))} ${moment(at).slice(5)} ${by}: ${why}`;

export function versionsText(versions: readonly ConfigVersionLine[]): Message {
  if (versions.length === 0) return [text('There is no version yet.')];
  return [
    text(bold('Versions of the configuration')),
    ...versions.map((one) => {
      const more = one.changes.length - CHANGES_SHOWN;
      return text(
        headLine(one),
        ...one.changes.slice(0, CHANGES_SHOWN).map(changeLine),
        ...(more > 0 ? [`and ${more} more: /versions ${one.version}`] : []),
      );
    }),
    text(line`${code('/versions N')} shows one, ${code('/versions N M')} what is different between two`),
  ];
}

export const configVersionText = (version: ConfigVersionView): Message => [
  text(
    headLine(version),
    `by ${version.channel}, at journal row ${version.n}`,
    ...(version.changes.length === 0 ? ['Nothing is other than before.'] : version.changes.map(changeLine)),
  ),
];

export const configDiffText = ({ from, to, changes }: ConfigDiffView): Message => [
  text(
    bold(`From version ${from} to ${to}`),
    ...(changes.length === 0 ? ['Nothing is different.'] : changes.map(changeLine)),
  ),
];
