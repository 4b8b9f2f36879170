/** Parsers behind doors that listen: the page's server. */
import fc from 'fast-check';
import { Guard, type Need } from '../../src/http/guard.ts';
import { parseBody } from '../../src/http/read-body.ts';
import { VIEW_ROUTES } from '../../src/http/view-routes.ts';
import { parseCommand, parseWords } from '../../src/operator/parse-command.ts';
import { bytesOf, fields, isTyped, jsonRow, number, value } from './arbitraries.ts';
import { echoingViews, HOUR_MS, httpText, type PageServer, pageServer, sent, TOKEN } from './doors.ts';
import { type FuzzTarget, never } from './fuzz-target.ts';

let page: Promise<PageServer> | undefined;

export const DOOR_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'http-requests',
    isSlow: true,
    structure: httpText,
    eat: async (bytes) => {
      page ??= pageServer();
      const server = await page;
      // Rates are another test's matter.
      server.time.advanceTo(server.time.clock.now() + HOUR_MS);
      server.executed = 0;
      server.defects.splice(0);
      const mayAct = server.hadToken || bytes.includes(TOKEN);
      server.hadToken = bytes.includes(TOKEN);
      const answer = await sent(server.port, bytes);
      return {
        mayAct,
        status: answer.split(' ')[1] ?? null,
        executed: server.executed,
        defects: [...server.defects],
      };
    },
    mayThrow: never,
    check: (result) => {
      const { executed, defects, mayAct } = result as {
        executed: number;
        defects: readonly string[];
        mayAct: boolean;
      };
      if (defects.length > 0) throw new Error(defects[0]);
      if (executed > 0 && !mayAct) throw new Error('a command without the token');
    },
  },
  {
    name: 'http-guard',
    structure: bytesOf(
      fields(
        ['remote', 'host', 'origin', 'fetchSite', 'isForwarded', 'authorization', 'contentType'],
        fc.constantFrom(
          ...[
            '127.0.0.1',
            '::1',
            '::ffff:10.1.2.3',
            '10.0.0.1',
            'localhost:1',
            '[::1]:8787',
            'evil.example',
            'null',
            '',
          ],
          ...[`Bearer ${TOKEN}`, 'Bearer  x', 'application/json', 'cross-site', true, false],
        ),
      ),
    ),
    eat: (bytes) => {
      const { isForwarded, ...texts } = jsonRow(bytes) ?? {};
      const text = (name: string): string | undefined => {
        const given = texts[name];
        return typeof given === 'string' ? given : undefined;
      };
      const asked = {
        remote: text('remote') ?? '',
        host: text('host'),
        origin: text('origin'),
        fetchSite: text('fetchSite'),
        isForwarded: isForwarded === true,
        authorization: text('authorization'),
        contentType: text('contentType'),
      };
      const guard = new Guard({
        token: TOKEN,
        allowedHosts: ['bot.example'],
        allowedIps: ['10.0.0.0/8', '127.0.0.1', '::1'],
      });
      const needs: readonly Need[] = ['public', 'read', 'control'];
      return { asked, refusals: needs.map((need) => guard.refuses(asked, need)?.code ?? null) };
    },
    mayThrow: never,
    check: (result) => {
      const { asked, refusals } = result as {
        asked: { remote: string; authorization?: string };
        refusals: readonly (string | null)[];
      };
      const holds =
        /^bearer /i.test(asked.authorization ?? '') && asked.authorization?.split(' ')[1] === TOKEN;
      if (refusals[2] === null && !holds) throw new Error('a control without the token');
      if (refusals[1] === null && !holds && !/^(::ffff:)?127\.|^::1$/.test(asked.remote))
        throw new Error('a reader from elsewhere');
    },
  },
  {
    name: 'http-commands',
    structure: bytesOf(
      fc.record({
        id: fc.string({ maxLength: 10 }),
        command: fields(
          [
            'kind',
            'symbol',
            'symbols',
            'side',
            'share',
            'breaker',
            'reason',
            'minutes',
            'stop',
            'target',
            'change',
            'key',
            'value',
          ],
          fc.oneof(
            value,
            fc.constantFrom('pause', 'close', 'lock', 'kill', 'trip', 'force-entry', 'blacklist', 'add'),
          ),
        ),
      }),
    ),
    eat: (bytes) => {
      const { command } = parseBody(bytes) as { command?: unknown };
      return parseCommand(command);
    },
    mayThrow: isTyped,
  },
  {
    name: 'command-words',
    structure: fc
      .array(
        fc.constantFrom(
          'pause',
          'close',
          'BTCUSDT',
          'all',
          '50',
          'lock',
          '-1',
          'reason',
          '1e9',
          '__proto__',
          'trip',
          'drawdown',
        ),
        { maxLength: 6 },
      )
      .map((words) => Buffer.from(words.join(' '))),
    eat: (bytes) => parseWords(bytes.toString().split(/\s+/)),
    mayThrow: isTyped,
  },
  {
    name: 'http-queries',
    structure: fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'limit',
            'from',
            'to',
            'symbol',
            'before',
            'direction',
            'by',
            'actor',
            'type',
            'position',
            'n',
          ),
          number,
        ),
        {
          maxLength: 5,
        },
      )
      .map((pairs) => Buffer.from(pairs.map(([name, text]) => `${name}=${text}`).join('&'))),
    eat: (bytes) => {
      const query = new URLSearchParams(bytes.toString());
      return Object.entries(VIEW_ROUTES).map(([, route]) => {
        try {
          return route(echoingViews, query);
        } catch (error) {
          if (isTyped(error)) return null;
          throw error;
        }
      });
    },
    mayThrow: never,
  },
];
