/** A person's own clock: quiet hours and reports go by it. Pure. */

export interface LocalTime {
  /** "2025-01-31" */
  readonly date: string;
  /** Since midnight. */
  readonly minutes: number;
  /** The date of this week's Monday. */
  readonly monday: string;
}

export function localTime(at: number, timeZone: string): LocalTime {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    ...({ year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' } as const),
    ...({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const),
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return {
    date,
    minutes: Number(part('hour')) * 60 + Number(part('minute')),
    monday: daysBefore(date, WEEKDAYS.indexOf(part('weekday'))),
  };
}

const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const DAY_MS = 86_400_000;

/** Dates have no time zone: in UTC a day is a day. */
const daysBefore = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) - days * DAY_MS).toISOString().slice(0, 10);

/** "07:30" as minutes since midnight. */
export const minutesOf = (time: string): number => {
  const [hours = '0', minutes = '0'] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
};

/** Within "22:00-07:00", over midnight too; "none" is never. */
export function isQuiet(hours: string, minutes: number): boolean {
  if (hours === 'none') return false;
  const [from = 0, to = 0] = hours.split('-').map(minutesOf);
  return from <= to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}
