/** A person's own clock: quiet hours and reports go by it. Pure. */

export interface LocalTime {
  /** "2025-01-31" */
  readonly date: string;
  /** Since midnight. */
  readonly minutes: number;
  readonly isMonday: boolean;
}

export function localTime(at: number, timeZone: string): LocalTime {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    ...({ year: 'numeric', month: '2-digit', day: '2-digit', weekday: 'short' } as const),
    ...({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const),
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    minutes: Number(part('hour')) * 60 + Number(part('minute')),
    isMonday: part('weekday') === 'Mon',
  };
}

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
