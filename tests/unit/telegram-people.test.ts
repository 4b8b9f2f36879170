import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isQuiet, localTime, minutesOf } from '../../src/telegram/local-time.ts';
import { Pace, People } from '../../src/telegram/people.ts';

const ANN = { id: 1, name: 'Ann', role: 'admin', notify: 'info' } as const;
const BEN = { id: 2, name: 'Ben', role: 'viewer', notify: 'critical' } as const;
const CAT = { id: 3, name: 'Cat', role: 'trader', notify: 'none' } as const;
const GROUP = -100;
const people = () => new People([ANN, BEN, CAT], [GROUP]);
const place = (userId: number, chatId = userId) => ({ userId, chatId, isPrivate: chatId > 0 });
const DAY_MS = 86_400_000;

describe('the list of people', () => {
  it('knows them in their own chat and in listed groups only', () => {
    assert.equal(people().find(place(1)), ANN);
    assert.equal(people().find(place(1, GROUP)), ANN);
    assert.equal(people().find(place(1, -999)), undefined);
    assert.equal(people().find(place(9)), undefined);
    assert.equal(people().find(place(9, GROUP)), undefined);
  });

  it('tells each what is important enough for them, groups everything', () => {
    assert.deepEqual(people().listeners('info'), [1, GROUP]);
    assert.deepEqual(people().listeners('warning'), [1, GROUP]);
    assert.deepEqual(people().listeners('critical'), [1, 2, GROUP]);
  });

  it('refuses a stranger once a day, and all of them a few times a minute', () => {
    const list = people();
    assert.ok(list.mayRefuse(place(10), 0));
    assert.ok(!list.mayRefuse(place(10), 60_001));
    assert.ok(list.mayRefuse(place(10), DAY_MS));
    const told = [20, 21, 22, 23, 24].filter((id) => list.mayRefuse(place(id), DAY_MS + 1));
    assert.equal(told.length, 2);
    assert.ok(!list.mayRefuse(place(30, -999), 3 * DAY_MS), 'never in a group');
  });
});

describe('the pace', () => {
  it('takes a burst, then so many a minute, and says so once', () => {
    const pace = new Pace(5, 60);
    const first = Array.from({ length: 8 }, () => pace.take(1, 0));
    assert.deepEqual(first, ['fine', 'fine', 'fine', 'fine', 'fine', 'tell', 'silent', 'silent']);
    assert.equal(pace.take(2, 0), 'fine');
    assert.equal(pace.take(1, 1_000), 'fine');
    assert.equal(pace.take(1, 1_000), 'tell');
  });
});

describe('local time', () => {
  it('is what the person has on the wall', () => {
    const at = Date.parse('2025-01-31T23:30:00Z');
    assert.deepEqual(localTime(at, 'UTC'), {
      date: '2025-01-31',
      minutes: 23 * 60 + 30,
      monday: '2025-01-27',
    });
    assert.deepEqual(localTime(at, 'Asia/Tokyo'), {
      date: '2025-02-01',
      minutes: 8 * 60 + 30,
      monday: '2025-01-27',
    });
    assert.equal(localTime(Date.parse('2025-02-03T00:00:00Z'), 'UTC').monday, '2025-02-03');
    assert.equal(localTime(Date.parse('2025-03-02T23:59:00Z'), 'UTC').monday, '2025-02-24');
  });

  it('is quiet within the hours, over midnight too', () => {
    const at = (time: string, hours: string) => isQuiet(hours, minutesOf(time));
    assert.ok(at('23:00', '22:00-07:00') && at('03:00', '22:00-07:00') && !at('07:00', '22:00-07:00'));
    assert.ok(at('13:00', '12:00-14:00') && !at('14:00', '12:00-14:00') && !at('11:59', '12:00-14:00'));
    assert.ok(!at('03:00', 'none'));
  });
});
